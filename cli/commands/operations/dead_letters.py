"""`jiesu dead-letters`: list, show, replay and discard records that could not be processed."""

from typing import Annotated, Any

import orjson
import typer

from cli.database import query_service
from cli.exit_status import exit_with
from cli.service_names import SERVICES
from shared.runtime.database.database import Database
from shared.runtime.dead_letters import operations
from shared.runtime.dead_letters.operations import DeadLetter

Id = Annotated[str, typer.Argument(help="<service>:<number>, as `list` shows it", metavar="ID")]
WaitSeconds = Annotated[float, typer.Option(help="seconds to wait for the service that owns the letter")]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON")]

app = typer.Typer(help="Messages that could not be processed.", no_args_is_help=True)


@app.command("list")
def list_letters(
    service: Annotated[str, typer.Option(help="only this service's")] = "",
    settled: Annotated[bool, typer.Option("--settled", help="also those replayed or discarded, newest first")] = False,
    limit: Annotated[int, typer.Option(min=1)] = 100,
    as_json: JsonOption = False,
) -> None:
    """List dead letters, first those that park a case: topic, key and reason of each, and how many records of its case wait behind it."""

    async def load(database: Database) -> list[DeadLetter]:
        async with database.transaction() as tx:
            return await operations.list_dead_letters(tx, settled=settled, limit=limit + 1)

    found = {name: query_service(name, load, exit_status=1) for name in _services(service)}
    for name in (name for name, letters in found.items() if len(letters) > limit):
        typer.echo(f"{name} has more letters than these {limit}: raise --limit to see them", err=True)
    summaries = [_summary(name, letter) for name, letters in found.items() for letter in letters[:limit]]
    if as_json:
        typer.echo(orjson.dumps(summaries, option=orjson.OPT_INDENT_2).decode())
        return
    for row in summaries:
        typer.echo(f"{row['id']:12} {row['status']:9} {row['topic']} {row['key']} waiting={row['waiting']} {row['reason']}")
    if not summaries:
        typer.echo("no dead letters")


@app.command("show")
def show_letter(
    letter_id: Id,
    body: Annotated[bool, typer.Option("--body", help="the body too; it may hold personal data")] = False,
) -> None:
    """Show one dead letter with its headers as JSON."""
    service, letter = _load_letter(letter_id)
    document = _summary(service, letter) | {"headers": {name: _decode(value) for name, value in letter.record.headers}}
    if body:
        document["body"] = _decode(letter.record.body)
    typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


@app.command("replay")
def replay_letter(letter_id: Id, wait: WaitSeconds = 30.0) -> None:
    """Have the service apply the letter again, then the records that wait behind it, in order. Exit status 1 unless that worked."""
    _request_settlement(letter_id, operations.REPLAY, wait)


@app.command("discard")
def discard_letter(letter_id: Id, wait: WaitSeconds = 30.0) -> None:
    """Discard the letter and apply the records that wait behind it. Exit status 1 unless that worked."""
    _request_settlement(letter_id, operations.DISCARD, wait)


def _request_settlement(letter_id: str, request: str, wait: float) -> None:
    """Request a replay or discard and wait for the service, which alone may change its cases."""
    service, number = _parse_id(letter_id)

    async def settle(database: Database) -> DeadLetter | None:
        async with database.transaction() as tx:
            if not await operations.request_settlement(tx, number, request):
                return await operations.find_dead_letter(tx, number)
        return await operations.wait_until_settled(database, number, wait)

    letter = query_service(service, settle, exit_status=1)
    if letter is None:
        exit_with(f"{letter_id}: there is no such dead letter", 1)
    if letter.status in {operations.REPLAYED, operations.DISCARDED}:
        typer.echo(f"{letter_id} {letter.status}")
        return
    if letter.status == operations.OPEN:
        exit_with(f"{letter_id} failed again: {letter.reason}", 1)
    exit_with(f"{letter_id}: requested, but {service} has not answered within {wait:.0f} s; it does so once it runs", 1)


def _load_letter(letter_id: str) -> tuple[str, DeadLetter]:
    service, number = _parse_id(letter_id)

    async def load(database: Database) -> DeadLetter | None:
        async with database.transaction() as tx:
            return await operations.find_dead_letter(tx, number)

    letter = query_service(service, load, exit_status=1)
    if letter is None:
        exit_with(f"{letter_id}: there is no such dead letter", 1)
    return service, letter


def _parse_id(letter_id: str) -> tuple[str, int]:
    service, _, number = letter_id.partition(":")
    if service not in SERVICES or not number.isdecimal():
        exit_with(f"{letter_id}: an id reads <service>:<number>, e.g. sla:17; services are {', '.join(SERVICES)}", 1)
    return service, int(number)


def _services(only: str) -> tuple[str, ...]:
    if only and only not in SERVICES:
        exit_with(f"{only}: no such service; there are {', '.join(SERVICES)}", 1)
    return (only,) if only else SERVICES


def _summary(service: str, letter: DeadLetter) -> dict[str, Any]:
    return letter.summary() | {"id": f"{service}:{letter.id}"}


def _decode(value: bytes | None) -> str | None:
    # What failed may hold any bytes, and is shown all the same.
    return None if value is None else value.decode("utf-8", "backslashreplace")
