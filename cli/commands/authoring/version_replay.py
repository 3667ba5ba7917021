"""`jiesu procedure replay NEW --cases …`: what would have differed under another version, on cases that were recorded."""

import json
from collections.abc import Sequence

import typer

from cli.evidence.evidence_archive import ArchiveError
from cli.evidence.recorded_cases import load_source
from cli.exit_status import exit_with
from shared.procedures.loading.loader import load_procedure
from shared.procedures.model.procedure_error import ProcedureError
from simulator.scenario import ScenarioError
from simulator.version_comparison import iso_instant, version_differences

_INPUT_ERRORS = (ProcedureError, ScenarioError, ArchiveError, ValueError, KeyError, TypeError, OSError)


def compare_versions(new: str, case_sources: Sequence[str], *, as_json: bool) -> None:
    """Run recorded cases under another version and print which deadlines, breaches and escalations would have differed."""
    try:
        procedure = load_procedure(new)
        rehearsed = [each for source in case_sources for each in load_source(source, procedure)]
        found = [each for one in rehearsed for each in version_differences(one, procedure)]
    except _INPUT_ERRORS as error:
        exit_with(f"{new}: {error}")
    total = sum(len(each.scenario.cases) for each in rehearsed)
    if as_json:
        shown = [
            {
                **{n: getattr(e, n) for n in ("source", "case", "what", "name")},
                "before": iso_instant(e.before),
                "after": iso_instant(e.after),
            }
            for e in found
        ]
        typer.echo(json.dumps({"cases": total, "differences": shown}, ensure_ascii=False, indent=1))
        return
    for each in found:
        typer.echo(each.describe())
    typer.echo(f"{total} cases under {procedure.id}@{procedure.version}: {len(found)} differences")
