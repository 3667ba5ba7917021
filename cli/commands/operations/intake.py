"""`jiesu intake`: import a file, and read again what arrived."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path
from typing import Annotated, TypeVar

import orjson
import typer

from cli.database import database_errors_ending_command
from cli.exit_status import exit_with
from cli.output_file import require_folder
from cli.termination import sigterm_like_interrupt
from services.intake.application.parts import IntakeParts
from services.intake.bootstrap import make_parts
from services.intake.config import IntakeSettings
from services.intake.storage import imports, raw_copies
from services.intake.storage.imports import ImportFile
from services.intake.transports.imports.files.opening import is_workbook
from services.intake.transports.imports.report import report_suffix, write_report
from services.intake.transports.imports.setup import make_imports
from services.intake.transports.imports.summary import summary
from services.intake.transports.replay import INCOMPLETE, ReplayedCopy, ReplayTools, make_tools, replay, replay_copy
from shared.procedures.checks.organisation.organisation_check import load_checked_organisation
from shared.procedures.model.procedure_error import ProcedureError
from shared.runtime.clock import Clock, uuid7
from shared.runtime.database.database import Database
from shared.runtime.encryption import DecryptionError, EncryptionKeyRing
from shared.runtime.errors import Misconfigured

T = TypeVar("T")
_FAILED = 1
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON")]

app = typer.Typer(help="Import files, and read what arrived again.", no_args_is_help=True)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="a CSV or Excel file", exists=True, dir_okay=False, readable=True)],
    source: Annotated[str, typer.Option(help="the source of the organisation file whose column map reads the file")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="check every row, and register nothing")] = False,
    report: Annotated[Path | None, typer.Option(help="the report; default <FILE>.report.csv or .xlsx")] = None,
    as_json: JsonOption = False,
) -> None:
    """Import a file, or continue it after a stop. Exit status: 0 every row accepted, 1 rows refused, 2 the file cannot be read."""
    path = report or file.with_name(f"{file.name}{report_suffix('xlsx' if is_workbook(file) else 'csv')}")
    require_folder(path, "--report")

    async def run(database: Database, parts: IntakeParts) -> ImportFile:
        if file.stat().st_size > parts.settings.max_import_bytes:
            exit_with(f"{file}: has more than {parts.settings.max_import_bytes} bytes (JIESU_MAX_IMPORT_BYTES); split it")
        return await _import(database, parts, file, source, path, dry_run=dry_run)

    item = _with_intake(run)
    document = summary(item)
    if as_json:
        typer.echo(orjson.dumps(document | {"report": str(path)}, option=orjson.OPT_INDENT_2).decode())
    else:
        for name, text in document["found"].items():
            typer.echo(f"{name.replace('_', ' ')}: {text}")
        typer.echo(f"{item.rows_done} rows: {_counts(Counter(document['counts']))}; report in {path}")
    if document["refused"]:
        raise typer.Exit(_FAILED)


@app.command("replay")
def replay_raw(
    raw_id: Annotated[str, typer.Option("--id", help="only this raw copy; an import's id is also that of its copy")] = "",
    source: Annotated[str, typer.Option(help="only what came from this source")] = "",
    channel: Annotated[str, typer.Option(help="only what this transport brought: http, kafka, file, mail, webhook, form")] = "",
    since: Annotated[datetime | None, typer.Option(help="only what was kept since this instant, in UTC")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would become of each, and register nothing")] = False,
    as_json: JsonOption = False,
) -> None:
    """Read raw copies again by the present maps; registered cases stay as they are. Exit status 1 if one was refused or is incomplete."""
    if not (raw_id or source or channel or since):
        exit_with("choose what is read again: --id, --source, --channel or --since")

    async def run(database: Database, parts: IntakeParts) -> list[ReplayedCopy]:
        if source and source not in parts.sources.contexts:
            exit_with(f"--source: {source} is no source of the organisation file")
        tools = make_tools(database, parts, dry_run=dry_run)
        if raw_id:
            return [await _replay_one(tools, raw_id)]
        begin = since.replace(tzinfo=UTC) if since else _BEGINNING
        return [copy async for copy in replay(tools, begin, source, channel)]

    try:
        copies = _with_intake(run)
    except DecryptionError as error:
        exit_with(f"a raw copy cannot be opened: {error}")
    total = sum((copy.counts for copy in copies), Counter[str]())
    for copy in copies:
        typer.echo(orjson.dumps(_document(copy)).decode() if as_json else _line(copy))
    if not as_json:
        typer.echo(f"{len(copies)} raw copies: {_counts(total) or 'nothing to read'}")
    if total["refused"] or total[INCOMPLETE]:
        raise typer.Exit(_FAILED)


async def _import(database: Database, parts: IntakeParts, file: Path, source: str, report: Path, *, dry_run: bool) -> ImportFile:
    work = make_imports(database, parts)
    if source not in work.file_maps:
        exit_with(f"--source: {source} has no imports in the organisation file; those that have: {', '.join(work.file_maps) or 'none'}")
    with file.open("rb") as content:
        digest = file_digest(content, "sha256").hexdigest()
    async with database.transaction() as tx:
        interrupted = None if dry_run else await imports.find_unreported(tx, source, digest, folder=False)
    accepted = interrupted or await work.accept(file, file.name, source, dry_run=dry_run)
    item = await work.run(accepted.id, uuid7(), on_batch=lambda each: typer.echo(f"{each.rows_done} rows", err=True))
    if item is None:
        exit_with(f"{file}: another process imports it, or stopped less than a minute ago; the running service goes on with it")
    if item.state == "failed":
        [fault] = summary(item)["errors"]
        exit_with(f"{file}: {fault['field']}: {fault['rule']}: {fault['remedy']}")
    await write_report(work, item, report)
    return item


async def _replay_one(tools: ReplayTools, raw_id: str) -> ReplayedCopy:
    async with tools.database.transaction() as tx:
        head = await raw_copies.find_head(tx, raw_id)
    if head is None:
        exit_with(f"--id: there is no raw copy {raw_id}; it may be past JIESU_RAW_RETENTION_DAYS")
    return await replay_copy(tools, head)


def _with_intake(run: Callable[[Database, IntakeParts], Awaitable[T]]) -> T:
    """Run a task on intake's tables; a setting, organisation file or database that cannot be used ends the command."""

    async def open_and_run() -> T:
        settings = IntakeSettings()
        clock = Clock.parse(settings.clock, settings.environment)
        organisation = load_checked_organisation(settings.organisation)
        database = Database(settings, "intake")
        try:
            key_ring = EncryptionKeyRing.parse(settings.sealing_keys)
            return await run(database, make_parts(settings, organisation, key_ring, clock, database))
        finally:
            await database.close()

    try:
        # Files in plain text lie in temporary folders, which an end without `finally` would leave.
        with sigterm_like_interrupt(), database_errors_ending_command("intake"):
            return asyncio.run(open_and_run())
    except ProcedureError as error:
        exit_with(error.in_one_line())
    except Misconfigured as error:
        exit_with(str(error))


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))


def _line(copy: ReplayedCopy) -> str:
    faults = "; ".join(f"{fault.field}: {fault.rule}: {fault.remedy}" for fault in copy.faults)
    return f"{copy.head.id} {copy.head.channel} {copy.head.source} {_counts(copy.counts)}{f' ({faults})' if faults else ''}"


def _document(copy: ReplayedCopy) -> dict[str, object]:
    faults = [{"field": fault.field, "rule": fault.rule, "remedy": fault.remedy} for fault in copy.faults]
    head = copy.head
    return {
        "id": head.id,
        "channel": head.channel,
        "source": head.source,
        "kept_at": head.kept_at.isoformat(),
        "counts": dict(copy.counts),
        "errors": faults,
    }
