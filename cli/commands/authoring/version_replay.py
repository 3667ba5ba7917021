"""`jiesu procedure replay NEW --cases …`: recorded cases run under another version of their procedure."""

import json
from collections.abc import Sequence

import typer

from cli.evidence.recorded_cases import load_recorded_cases
from cli.exit_status import exit_with
from services.sla.evidence.archive import ArchiveError
from shared.procedures.loading.loader import load_procedure
from shared.procedures.model.procedure_error import ProcedureError
from simulator.scenario import ScenarioError
from simulator.version_comparison import version_differences

_INPUT_ERRORS = (ProcedureError, ScenarioError, ArchiveError, ValueError, KeyError, TypeError, OSError)


def replay_version(new: str, case_sources: Sequence[str], *, as_json: bool) -> None:
    """Print which deadlines, breaches and escalations of recorded cases would differ under the procedure `new`."""
    try:
        procedure = load_procedure(new)
        recorded = [cases for source in case_sources for cases in load_recorded_cases(source, procedure)]
        differences = [difference for cases in recorded for difference in version_differences(cases, procedure)]
    except _INPUT_ERRORS as error:
        exit_with(f"{new}: {error}")
    total = sum(len(cases.scenario.cases) for cases in recorded)
    if as_json:
        document = {"cases": total, "differences": [difference.to_json() for difference in differences]}
        typer.echo(json.dumps(document, ensure_ascii=False, indent=1))
        return
    for difference in differences:
        typer.echo(difference.describe())
    typer.echo(f"{total} cases under {procedure.id}@{procedure.version}: {len(differences)} differences")
