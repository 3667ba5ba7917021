"""`jiesu list`: a list of a procedure's cases as a table, CSV or Excel file."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.clock import current_instant
from cli.database import query_service
from cli.exit_status import exit_with
from cli.output_file import require_folder, writing_out
from services.sla.application.errors import RequestError
from services.sla.application.lists.list_queries import BuiltList, ListRequest, list_head, list_of, list_scope
from services.sla.application.lists.row_collection import ListReader, collect_rows
from services.sla.application.rulebooks import HistoricalRulebooks
from services.sla.domain.deadlines.worktime import Worktime
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lists.list_filter import ListFilter
from services.sla.storage.duties import read_in_one_snapshot
from shared.contracts.instants import read_instant
from shared.procedures.calendars.calendar import default_calendar
from shared.procedures.forms.field_text import FormTexts
from shared.procedures.loading.loader import load_procedure
from shared.procedures.model.form_layout.lists import list_ids
from shared.procedures.model.procedure import LanguageCode, Procedure
from shared.procedures.model.procedure_error import ProcedureError
from shared.procedures.organisation import open_organisation
from shared.runtime.database.database import Database
from shared.runtime.spreadsheets.table_files import TableFormat, write_table


def print_list(
    procedure: Annotated[str, typer.Argument(metavar="PROCEDURE", help="an installed procedure's id, or a path")],
    list_id: Annotated[str, typer.Argument(metavar="LIST", help="a list's id; none: name the lists")] = "",
    period: Annotated[str, typer.Option(help="2026, 2026-Q3, 2026-09, 2026-W39, a day in it, or all")] = "",
    csv: Annotated[bool, typer.Option("--csv", help="CSV, which Excel opens")] = False,
    xlsx: Annotated[bool, typer.Option("--xlsx", help="an Excel file")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, the default")] = False,
    english: Annotated[bool, typer.Option("--english", help="in English instead of Chinese")] = False,
    out: Annotated[Path | None, typer.Option(help="the file; default for --csv and --json: standard output")] = None,
    status: Annotated[str | None, typer.Option(help="open, closed, refused or withdrawn")] = None,
    kind: Annotated[str | None, typer.Option()] = None,
    class_: Annotated[str | None, typer.Option("--class")] = None,
    subject: Annotated[str | None, typer.Option()] = None,
    department: Annotated[str | None, typer.Option()] = None,
    handler: Annotated[str | None, typer.Option()] = None,
    household: Annotated[str | None, typer.Option()] = None,
    enterprise: Annotated[str | None, typer.Option()] = None,
    against: Annotated[str | None, typer.Option(help="a person or unit complained about")] = None,
    called_back: Annotated[bool | None, typer.Option("--called-back/--not-called-back")] = None,
    evaluated: Annotated[bool | None, typer.Option("--evaluated/--not-evaluated")] = None,
    overdue: Annotated[bool | None, typer.Option("--overdue/--not-overdue")] = None,
    received_from: Annotated[str, typer.Option(help="an instant with offset")] = "",
    received_before: Annotated[str, typer.Option(help="an instant with offset")] = "",
) -> None:
    """Print a list, computed from the cases' events in one snapshot. Exit status 2 if that fails."""
    list_format = _list_format(csv=csv, xlsx=xlsx, as_json=as_json)
    require_folder(out)
    try:
        loaded = load_procedure(procedure)
    except ProcedureError as error:
        exit_with(str(error))
    if not list_id:
        typer.echo("\n".join(list_ids(loaded.lists)))
        return
    where = ListFilter(
        *(status, kind, class_, subject, department, handler, household, enterprise, against, called_back, evaluated, overdue),
        *(_instant("received-from", received_from), _instant("received-before", received_before)),
    )
    _print(loaded, ListRequest(loaded.id, list_id, period, where, "en" if english else "zh"), list_format, out)


def _list_format(*, csv: bool, xlsx: bool, as_json: bool) -> TableFormat:
    if csv + xlsx + as_json > 1:
        exit_with("format: give one of --json, --csv and --xlsx")
    return "xlsx" if xlsx else "csv" if csv else "json"


def _print(procedure: Procedure, request: ListRequest, list_format: TableFormat, out: Path | None) -> None:
    now = current_instant()
    try:
        built = query_service("sla", lambda database: build_list(database, procedure, request, now))
    except (RequestError, ProcedureError) as error:
        exit_with(str(error))
    # An Excel file is no text for a terminal.
    path = Path(f"{procedure.id}-{request.list_id}.xlsx") if out is None and list_format == "xlsx" else out
    _write(built, list_format, path)


async def build_list(database: Database, procedure: Procedure, request: ListRequest, now: datetime) -> BuiltList:
    """The list over all cases; the command line reads the database as its administrator does. Raises a `RequestError`."""
    entry = list_of(procedure, request.list_id)
    scope = list_scope(entry, request, Worktime.for_calendar(default_calendar()), now)
    async with database.transaction() as tx:
        await read_in_one_snapshot(tx)
        reader = ListReader(_texts_by_context(await HistoricalRulebooks.load(tx), request.language))
        spool = await collect_rows(tx, procedure, entry, scope, reader)
    return BuiltList(list_head(procedure, entry, scope, now, FormTexts(procedure, open_organisation(), request.language)), spool)


def _texts_by_context(rulebooks: HistoricalRulebooks, language: LanguageCode) -> Callable[[Case, str], FormTexts]:
    """The texts of a case with the names of people and departments at its latest event."""
    cache: dict[tuple[str, str, int], FormTexts] = {}

    def texts(case: Case, basis: str) -> FormTexts:
        key = (basis, case.procedure, case.version)
        if key not in cache:
            rulebook = rulebooks.rulebook(basis, case.procedure, case.version, case.parameters)
            cache[key] = FormTexts(rulebook.procedure, rulebook.organisation, language)
        return cache[key]

    return texts


def _write(built: BuiltList, list_format: TableFormat, path: Path | None) -> None:
    """Write the list into the file, without one to standard output."""
    rows = (cells for _, cells in built.spool.rows())
    try:
        if path is None:
            write_table(sys.stdout.buffer, list_format, built.head, rows)
            sys.stdout.flush()
            return
        with writing_out(), path.open("wb") as file:
            write_table(file, list_format, built.head, rows)
    finally:
        built.spool.close()
    typer.echo(f"{path}: {built.head.title}, {built.spool.count} rows")


def _instant(name: str, text: str) -> datetime | None:
    if not text:
        return None
    instant = read_instant(text)
    if instant is None:
        exit_with(f"--{name}: is no instant; write one with offset, such as 2026-09-24T00:00:00+08:00")
    return instant.astimezone(UTC)
