"""`jiesu dead-letters`: see what could not be processed, have it applied again, or give it up."""

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
Json = Annotated[bool, typer.Option("--json", help="print JSON")]

app = typer.Typer(help="Messages that could not be processed.", no_args_is_help=True)


@app.command("list")
def list_letters(
    service: Annotated[str, typer.Option(help="only this service's")] = "",
    settled: Annotated[bool, typer.Option("--settled", help="also those replayed or discarded, newest first")] = False,
    limit: Annotated[int, typer.Option(min=1)] = 100,
    as_json: Json = False,
) -> None:
    """List dead letters: where each came from, why it is one, how many records of its case wait behind it."""

    async def listed(database: Database) -> list[DeadLetter]:
        async with database.transaction() as tx:
            return await operations.list_dead_letters(tx, settled=settled, limit=limit)

    found = [(name, letter) for name in _services(service) for letter in query_service(name, listed, exit_status=1)]
    if as_json:
        typer.echo(orjson.dumps([_summary(name, letter) for name, letter in found], option=orjson.OPT_INDENT_2).decode())
        return
    for name, letter in found:
        line = _summary(name, letter)
        typer.echo(f"{line['id']:12} {line['status']:9} {line['topic']} {line['key']} waiting={line['waiting']} {line['reason']}")
    if not found:
        typer.echo("no dead letters")


@app.command("show")
def show_letter(
    letter_id: Id,
    body: Annotated[bool, typer.Option("--body", help="the body too; it may hold personal data")] = False,
) -> None:
    """Show one dead letter with its headers as JSON."""
    name, letter = _fetch_letter(letter_id)
    shown = _summary(name, letter) | {"headers": {key: _text(value) for key, value in letter.record.headers}}
    if body:
        shown["body"] = _text(letter.record.body)
    typer.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode())


@app.command("replay")
def replay_letter(letter_id: Id, wait: WaitSeconds = 30.0) -> None:
    """Have the service apply the letter again, then what waits behind it, in order. Exit status 1 unless that worked."""
    _request_settlement(letter_id, operations.REPLAY, wait)


@app.command("discard")
def discard_letter(letter_id: Id, wait: WaitSeconds = 30.0) -> None:
    """Give the letter up for good and apply what waits behind it. Exit status 1 unless that worked."""
    _request_settlement(letter_id, operations.DISCARD, wait)


def _request_settlement(letter_id: str, wish: str, wait: float) -> None:
    name, number = _parse(letter_id)

    async def settle(database: Database) -> DeadLetter | None:
        async with database.transaction() as tx:
            if not await operations.request_settlement(tx, number, wish):
                return await operations.find_dead_letter(tx, number)
        return await operations.wait_until_settled(database, number, wait)

    letter = query_service(name, settle, exit_status=1)
    if letter is None:
        exit_with(f"{letter_id}: there is no such dead letter", 1)
    if letter.status in {operations.REPLAYED, operations.DISCARDED}:
        typer.echo(f"{letter_id} {letter.status}")
        return
    if letter.status == operations.OPEN:
        exit_with(f"{letter_id} failed again: {letter.reason}", 1)
    exit_with(f"{letter_id}: asked for, but {name} has not answered within {wait:.0f} s; it does so once it runs", 1)


def _fetch_letter(letter_id: str) -> tuple[str, DeadLetter]:
    name, number = _parse(letter_id)

    async def shown(database: Database) -> DeadLetter | None:
        async with database.transaction() as tx:
            return await operations.find_dead_letter(tx, number)

    letter = query_service(name, shown, exit_status=1)
    if letter is None:
        exit_with(f"{letter_id}: there is no such dead letter", 1)
    return name, letter


def _parse(letter_id: str) -> tuple[str, int]:
    name, _, number = letter_id.partition(":")
    if name not in SERVICES or not number.isdecimal():
        exit_with(f"{letter_id}: an id reads <service>:<number>, e.g. sla:17; services are {', '.join(SERVICES)}", 1)
    return name, int(number)


def _services(only: str) -> tuple[str, ...]:
    if only and only not in SERVICES:
        exit_with(f"{only}: no such service; there are {', '.join(SERVICES)}", 1)
    return (only,) if only else SERVICES


def _summary(name: str, letter: DeadLetter) -> dict[str, Any]:
    return letter.summary() | {"id": f"{name}:{letter.id}"}


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "backslashreplace")
