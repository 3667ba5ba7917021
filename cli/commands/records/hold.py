"""`jiesu hold`: put cases under legal hold, so that they are neither erased nor deleted, and release them."""

import json
from typing import Annotated

import typer

from cli.clock import current_instant
from cli.database import query_service
from cli.exit_status import exit_with
from services.sla.storage.cases import load_case
from services.sla.storage.keeping import legal_holds
from services.sla.storage.keeping.legal_holds import LegalHold
from shared.runtime.database.database import Database


def hold(
    case: Annotated[str, typer.Argument(metavar="CASE", help="the id of a case; without it all holds are listed")] = "",
    because: Annotated[str, typer.Option(help="why: the dispute, the authority's file number; names nobody")] = "",
    by: Annotated[str, typer.Option(help="the person who orders it")] = "",
    release: Annotated[bool, typer.Option("--release", help="release the case instead")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Hold a case, release it, or list the holds. Exit status: 0 done, 1 it was so already, 2 no such case."""
    if not case:
        _list(as_json=as_json)
        return
    if release:
        if not query_service("sla", lambda database: _release(database, case)):
            exit_with(f"{case}: is not under legal hold", 1)
        typer.echo(f"{case}: released")
        return
    if not because.strip() or not by.strip():
        exit_with("--because and --by: must say why the case is held, and who orders it")
    known, new = query_service("sla", lambda database: _hold(database, LegalHold(case, because.strip(), by.strip(), current_instant())))
    if not known:
        exit_with(f"{case}: there is no such case")
    if not new:
        exit_with(f"{case}: is under legal hold already", 1)
    typer.echo(f"{case}: held")


def _list(*, as_json: bool) -> None:
    async def load(database: Database) -> list[LegalHold]:
        async with database.transaction() as tx:
            return await legal_holds.load_holds(tx)

    holds = query_service("sla", load)
    if as_json:
        rows = [{"case": held.case, "because": held.because, "by": held.held_by, "since": held.since.isoformat()} for held in holds]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for held in holds:
        typer.echo(f"{held.case}: since {held.since.date()} by {held.held_by}: {held.because}")
    typer.echo(f"{len(holds)} cases under legal hold")


async def _hold(database: Database, held: LegalHold) -> tuple[bool, bool]:
    """Whether the case exists, and whether it was not held before."""
    async with database.transaction() as tx:
        known = await load_case(tx, held.case) is not None
        return known, known and await legal_holds.insert_hold(tx, held)


async def _release(database: Database, case: str) -> bool:
    async with database.transaction() as tx:
        return await legal_holds.delete_hold(tx, case)
