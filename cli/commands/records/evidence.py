"""`jiesu evidence`: export a case with its explanations, clauses and proofs, or verify such an archive without the database."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from cli.attachment_store import open_checked_blobs, using_store
from cli.clock import current_instant
from cli.database import query_service
from cli.evidence.archive_verification import verify_archive
from cli.evidence.archived_attachments import (
    CollectedAttachments,
    collect_attachments,
    named_attachments,
    read_digests,
)
from cli.exit_status import exit_with
from cli.output_file import writing_out
from services.intake.attachments.config import AttachmentSettings
from services.intake.storage import attachments as stored_attachments
from services.sla.application.rulebooks import HistoricalRulebooks
from services.sla.domain.evidence.case_history import CaseHistory, verify_history
from services.sla.evidence.archive import ATTACHMENT_LISTING, INCLUDED, ArchiveError, archive_files, read_archive, write_archive
from services.sla.storage import case_histories, seals
from services.sla.storage.seals import YearSeal
from shared.runtime.database.database import Database


def evidence(
    case: Annotated[str, typer.Argument(metavar="CASE", help="the id of a case; with --verify not needed")] = "",
    out: Annotated[Path | None, typer.Option(help="the archive; default <case>.evidence.zip")] = None,
    verify: Annotated[Path | None, typer.Option(help="check this archive instead, without the database")] = None,
    root: Annotated[str, typer.Option(help="with --verify: the year's root, as it was published when the year was sealed")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Export a case's evidence, or verify an archive. Exit status: 0 intact, 1 faults found, 2 case or archive not readable."""
    if (verify is None) == (not case):
        exit_with("give either a case to export or --verify FILE")
    if verify is None:
        _export(case, out or Path(f"{case}.evidence.zip"), as_json=as_json)
    else:
        _verify(verify, root, as_json=as_json)


def _export(case: str, path: Path, *, as_json: bool) -> None:
    history, rulebooks, seals = query_service("sla", lambda database: _load_evidence(database, case))
    if history is None:
        exit_with(f"{case}: there is no such case")
    # An archive of a changed ledger would fail its own verification.
    if faults := verify_history(history):
        exit_with("\n".join([f"{case}: its ledger does not hold, so it is no evidence", *faults]), 1)
    try:
        files = archive_files(history, rulebooks, seals, current_instant())
    except ValueError as error:
        exit_with(f"{case}: {error}", 1)
    with TemporaryDirectory() as folder:
        attachments = _collect_attachments([json.loads(row.body) for row in history.rows], Path(folder))
        if attachments.changed:
            exit_with(f"{case}: attachments were changed in their store, so they are no evidence: {', '.join(attachments.changed)}", 1)
        if attachments.listing:
            files[ATTACHMENT_LISTING] = json.dumps(attachments.listing, ensure_ascii=False, indent=1).encode()
        with writing_out():
            write_archive(path, files, attachments.files)
    for entry in attachments.listing:
        if entry["state"] != INCLUDED:
            typer.echo(f"{entry['name']}: not included: {entry['state']}", err=True)
    if as_json:
        sealed = [seal.year for seal in seals]
        summary = {"case": case, "file": str(path), "events": len(history.rows), "attachments": len(attachments.files), "sealed": sealed}
        typer.echo(json.dumps(summary))
    else:
        years = ", ".join(str(seal.year) for seal in seals) or "no year yet"
        typer.echo(f"{path}: {len(history.rows)} events of {case}, sealed in {years}")


def _collect_attachments(events: list[dict[str, Any]], folder: Path) -> CollectedAttachments:
    """The attachments of the events, from the store of JIESU_ATTACHMENT_STORE; asks no store for a case that names none."""
    named = [sha256 for sha256, _ in named_attachments(events)]
    if not named:
        return CollectedAttachments()
    blobs = open_checked_blobs(AttachmentSettings())

    async def collect(database: Database) -> CollectedAttachments:
        async with database.transaction() as tx:
            erased = await stored_attachments.find_erased(tx, named)
        return await collect_attachments(events, blobs, erased, folder)

    with using_store():
        return query_service("intake", collect)


def _verify(path: Path, root: str, *, as_json: bool) -> None:
    try:
        verification = verify_archive(read_archive(path), root, read_digests(path))
    except ArchiveError as error:
        exit_with(f"{path}: {error}")
    if as_json:
        typer.echo(json.dumps(verification, ensure_ascii=False, indent=1))
    else:
        for fault in verification["faults"]:
            typer.echo(fault)
        for line in verification["shown"]:
            typer.echo(f"ok: {line}")
        typer.echo(f"{path}: {'does not hold' if verification['faults'] else 'holds'}")
    if verification["faults"]:
        raise typer.Exit(1)


async def _load_evidence(database: Database, case: str) -> tuple[CaseHistory | None, HistoricalRulebooks, list[YearSeal]]:
    histories = [history async for history in case_histories.load_case_histories(database, [case])]
    async with database.transaction() as tx:
        rulebooks, year_seals = await HistoricalRulebooks.load(tx), await seals.load_seals_of_case(tx, case)
    return next(iter(histories), None), rulebooks, year_seals
