"""`jiesu evidence`: a case with its explanations, clauses and proofs as one archive, which proves itself without the database."""

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.evidence.archive_verification import verify_archive
from cli.evidence.evidence_archive import ArchiveError, archive_files, read_archive, write_archive
from cli.evidence.sla_database import EXIT_UNUSABLE, current_instant, exit_with, query_sla
from services.sla.application.rulebooks import HistoricalRulebooks
from services.sla.domain.evidence.case_history import CaseHistory, verify_history
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
    """Export a case's evidence, or verify an archive. Exit status: 0 it holds, 1 it does not, 2 it cannot be had or read."""
    if (verify is None) == (not case):
        exit_with("give either a case to export or --verify FILE")
    if verify is not None:
        _verify(verify, root, as_json=as_json)
        return
    dossier, library, seals = query_sla(lambda database: _load_evidence(database, case))
    if dossier is None:
        exit_with(f"{case}: there is no such case")
    if problems := verify_history(dossier):
        exit_with("\n".join([f"{case}: its ledger does not hold, so it is no evidence", *problems]), 1)
    path = out or Path(f"{case}.evidence.zip")
    try:
        files = archive_files(dossier, library, seals, current_instant())
    except ValueError as error:
        exit_with(f"{case}: {error}", 1)
    write_archive(path, files)
    bound = ", ".join(str(seal.year) for seal in seals) or "no year yet"
    if as_json:
        typer.echo(json.dumps({"case": case, "file": str(path), "events": len(dossier.rows), "sealed": [seal.year for seal in seals]}))
    else:
        typer.echo(f"{path}: {len(dossier.rows)} events of {case}, sealed in {bound}")


def _verify(path: Path, root: str, *, as_json: bool) -> None:
    try:
        found = verify_archive(read_archive(path), root)
    except ArchiveError as error:
        exit_with(f"{path}: {error}")
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        for fault in found["faults"]:
            typer.echo(fault)
        for line in found["shown"]:
            typer.echo(f"ok: {line}")
        typer.echo(f"{path}: {'holds' if not found['faults'] else 'does not hold'}")
    if found["faults"]:
        raise typer.Exit(1)


async def _load_evidence(database: Database, case: str) -> tuple[CaseHistory | None, HistoricalRulebooks, list[YearSeal]]:
    found = [dossier async for dossier in case_histories.load_case_histories(database, [case])]
    async with database.transaction() as tx:
        return next(iter(found), None), await HistoricalRulebooks.load(tx), await seals.load_seals_of_case(tx, case)


__all__ = ["EXIT_UNUSABLE", "evidence"]
