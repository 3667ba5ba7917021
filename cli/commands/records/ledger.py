"""`jiesu ledger`: verify the hash chains of the cases' ledgers, seal a year, export the events."""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from cli.clock import REPORT_ZONE, current_instant
from cli.database import query_service
from cli.exit_status import exit_with
from cli.output_file import open_lines, require_folder, writing_out
from services.sla.application.forms.form_register import copy_faults, number_faults
from services.sla.application.reports.report_faults import report_faults
from services.sla.application.seals import YearSealError, seal_faults, seal_year
from services.sla.domain.evidence.case_history import CaseHistory, verify_history
from services.sla.storage import case_histories, form_register, seals
from services.sla.storage.form_register import FormIssue
from services.sla.storage.seals import YearSeal
from shared.procedures.loading.loader import load_procedure
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.procedure_error import ProcedureError
from shared.runtime.database.database import Database

app = typer.Typer(help="Verify a ledger, seal a year, export the events.", no_args_is_help=True)
CaseOption = Annotated[list[str] | None, typer.Option("--case", help="only this case; may be given several times")]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command()
def verify(
    case: CaseOption = None,
    procedures: Annotated[
        Path | None, typer.Option(help="a folder with the packs that are not installed, searched with its sub-folders", exists=True)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check every event against the one before it, the case's head, the seals and the reports. Exit status 1 if anything was changed."""
    try:
        known = {} if procedures is None else procedures_below(procedures)
    except ProcedureError as error:
        exit_with("\n".join(f"error: {problem}" for problem in error.problems))
    checked, faults = query_service("sla", lambda database: _verify_ledgers(database, case or [], known))
    if as_json:
        typer.echo(json.dumps({"cases": checked, "faults": faults}, ensure_ascii=False, indent=1))
    else:
        for fault in faults:
            typer.echo(f"{fault['case'] or 'all cases'}: {fault['fault']}")
        typer.echo(f"{checked} cases, {len(faults)} faults")
    if faults:
        raise typer.Exit(1)


@app.command()
def seal(
    year: Annotated[int, typer.Argument(min=2000, max=2099)],
    out: Annotated[Path | None, typer.Option(help="where the seal is written; default var/seals/<year>.json")] = None,
    as_json: JsonOption = False,
) -> None:
    """Bind the heads of the cases that ended in a year by a Merkle root (RFC 6962). A sealed year never changes: its seal is shown."""
    period = datetime(year, 1, 1, tzinfo=REPORT_ZONE), datetime(year + 1, 1, 1, tzinfo=REPORT_ZONE)

    async def seal_and_check(database: Database) -> tuple[YearSeal, list[str]]:
        async with database.transaction() as tx:
            year_seal = await seal_year(tx, year, period, current_instant())
            return year_seal, await seal_faults(tx, year_seal)

    try:
        year_seal, faults = query_service("sla", seal_and_check)
    except YearSealError as error:
        exit_with(str(error))
    if faults:
        exit_with("\n".join(faults), 1)
    content = json.dumps(seal_document(year_seal), ensure_ascii=False, indent=1)
    path = out or Path("var") / "seals" / f"{year}.json"
    _write_seal_file(path, content, year_seal)
    if as_json:
        typer.echo(content)
        return
    sealed_at = year_seal.sealed_at.astimezone(REPORT_ZONE).isoformat(timespec="seconds")
    state = "sealed" if year_seal.created else f"was sealed on {sealed_at}"
    typer.echo(f"{year} {state}: {len(year_seal.leaves)} cases, root {year_seal.root.hex()} ({path})")


@app.command()
def export(
    out: Annotated[Path, typer.Argument(help="the file to write, compressed where its name ends with .gz", dir_okay=False)],
) -> None:
    """Write the events of all cases as JSON lines, each case in order: what a reader such as the desk no longer finds in the topics."""
    require_folder(out)

    async def write(database: Database) -> tuple[int, int]:
        cases = events = 0
        with writing_out(), open_lines(out, "wb") as lines:
            async for history in case_histories.load_case_histories(database):
                cases += 1
                for row in history.rows:
                    lines.write(orjson.dumps({"type": row.type, "event": orjson.Fragment(row.body)}) + b"\n")
                    events += 1
        return cases, events

    cases, events = query_service("sla", write)
    typer.echo(f"{out}: {cases} cases, {events} events")


def seal_document(seal: YearSeal) -> dict[str, Any]:
    """The content of a seal file: root and leaves, no personal data."""
    leaves = [{"case": leaf.case, "sequence": leaf.sequence, "head": leaf.head.hex()} for leaf in seal.leaves]
    return {"year": seal.year, "root": seal.root.hex(), "sealed_at": seal.sealed_at.isoformat(), "cases": len(leaves), "leaves": leaves}


def _write_seal_file(path: Path, content: str, seal: YearSeal) -> None:
    """Write the seal file; ends the command where the file holds another root."""
    if path.exists():
        try:
            root = json.loads(path.read_text(encoding="utf-8"))["root"]
        except (OSError, ValueError, KeyError, TypeError):
            root = None
        # The file may be the only evidence that the database was changed after the sealing.
        if root != seal.root.hex():
            exit_with(f"{path}: holds another seal of {seal.year}; a seal never changes: keep that file and give another --out", 1)
    with writing_out():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + "\n", encoding="utf-8")


async def _verify_ledgers(
    database: Database, cases: list[str], known: Mapping[tuple[str, int], Procedure]
) -> tuple[int, list[dict[str, str]]]:
    """How many cases were checked, and the faults; all cases and the seals where `cases` is empty."""
    faults: list[dict[str, str]] = []
    checked: set[str] = set()
    async with database.transaction() as tx:
        issues = await form_register.load_issues(tx)
    copies: dict[str, list[FormIssue]] = defaultdict(list)
    for issue in issues:
        if issue.hash is not None:
            copies[issue.case].append(issue)
    async for history in case_histories.load_case_histories(database, cases):
        checked.add(history.case)
        found = verify_history(history) or form_faults(history, copies[history.case], known)
        faults += [{"case": history.case, "fault": fault} for fault in found]
    faults += [{"case": case, "fault": "there is no such case"} for case in cases if case not in checked]
    if not cases:
        async with database.transaction() as tx:
            for case in await case_histories.orphaned_ledgers(tx):
                faults.append({"case": case, "fault": "the ledger has events of it, but the case is gone"})
            faults += [{"case": "", "fault": fault} for fault in number_faults(issues)]
            for year_seal in await seals.load_seals(tx):
                faults += [{"case": "", "fault": fault} for fault in await seal_faults(tx, year_seal)]
            faults += [{"case": "", "fault": fault} async for fault in report_faults(tx)]
    return len(checked), faults


def procedures_below(folder: Path) -> dict[tuple[str, int], Procedure]:
    """The procedures of the packs below a folder by id and version: an organisation may name its own by a path."""
    loaded = [load_procedure(path) for path in sorted(folder.rglob("procedure.yaml"))]
    return {(procedure.id, procedure.version): procedure for procedure in loaded}


def form_faults(history: CaseHistory, copies: list[FormIssue], known: Mapping[tuple[str, int], Procedure]) -> list[str]:
    """The registered copies of the case's forms that differ from its ledger, which holds."""
    if not copies:
        return []
    registered = history.recorded_events()[0].body
    procedure_id, version = registered["procedure"], registered["version"]
    try:
        procedure = known.get((procedure_id, version)) or load_procedure(f"{procedure_id}@{version}")
    except ProcedureError:
        return [f"the copies of its forms cannot be checked: {procedure_id}@{version} is not installed; name its folder by --procedures"]
    return list(copy_faults(history, procedure, copies))
