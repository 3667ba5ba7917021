"""`jiesu backup`: take a base backup, restore one to a point in time, and find again what only the topics have."""

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import typer
from aiokafka.errors import KafkaError

from cli.backup.consumer_groups import set_groups_back
from cli.backup.postgres_programs import prepare_restore, take_base_backup
from cli.backup.restored_tables import MissingFromTables, adopt_complaints, adopt_deliveries, compare_with_topics
from cli.exit_status import exit_with
from cli.reconciliation.topic_contents import topic_reader
from shared.contracts.instants import read_instant
from shared.procedures.loading.loader import load_organisation, load_procedure
from shared.runtime.process.failures import redacted_reason
from shared.runtime.process.settings import RuntimeSettings

app = typer.Typer(no_args_is_help=True, help="Back up the database, restore it, and compare it with the topics.")
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command()
def base(to: Annotated[Path, typer.Option(help="a new folder for the copy")]) -> None:
    """Copy the whole PostgreSQL server and verify the copy. The WAL archive is PostgreSQL's own: set archive_command."""
    backup = take_base_backup(RuntimeSettings().database_url.get_secret_value(), to)
    typer.echo(f"{backup.folder}: {backup.size / 1e6:.1f} MB, verified")


@app.command()
def restore(
    base: Annotated[Path, typer.Option(help="a folder that `jiesu backup base` wrote")],
    wal: Annotated[Path, typer.Option(help="the WAL archive: the folder that archive_command copies to")],
    to: Annotated[Path, typer.Option(help="a new data folder; start PostgreSQL on it")],
    until: Annotated[str, typer.Option(help="an instant with offset; default: to the end of the archive")] = "",
) -> None:
    """Prepare a data folder; PostgreSQL recovers it when it starts there. Nothing is written over."""
    prepare_restore(base, wal, to, _instant("--until", until))
    typer.echo(f"{to}: start PostgreSQL here; it recovers until {until or 'the end of the archive'}. Then: jiesu backup compare")


@app.command()
def compare(
    repair: Annotated[
        bool, typer.Option("--repair", help="give intake and notify back what only topics have, let services read again")
    ] = False,
    since: Annotated[str, typer.Option(help="with --repair: an instant some minutes before the one that was restored to")] = "",
    organisation: Annotated[Path, typer.Option(envvar="JIESU_ORGANISATION", help="the organisation file")] = Path("organisation.yaml"),
    as_json: JsonOption = False,
) -> None:
    """List what topics have that the tables lack. Exit status: 0 nothing, 1 something. With --repair every service has to be stopped."""
    instant = _instant("--since", since)
    if repair and instant is None:
        exit_with("--since: must name an instant some minutes before the one that was restored to, with offset")
    try:
        document, status = asyncio.run(_compare(organisation if repair else None, instant))
    except KafkaError as error:
        exit_with(f"KAFKA_BOOTSTRAP_SERVERS: the broker cannot be used ({type(error).__name__})")
    except (OSError, asyncpg.PostgresError) as error:
        exit_with(f"the database cannot be used ({redacted_reason(error)}): check DATABASE_URL")
    typer.echo(json.dumps(document, ensure_ascii=False, indent=1) if as_json else _text(document))
    raise typer.Exit(status)


async def _compare(organisation: Path | None, since: datetime | None) -> tuple[dict[str, Any], int]:
    settings = RuntimeSettings()
    url = settings.database_url.get_secret_value()
    async with topic_reader(settings.kafka_bootstrap_servers, settings.topic_prefix) as reader:
        found = await compare_with_topics(url, reader)
    document = found.document()
    if organisation is not None and since is not None:
        # Groups first: they refuse while a service runs, and what is adopted would be read by it.
        document["records_to_read_again"] = await set_groups_back(settings, since)
        document["adopted_complaints"] = await adopt_complaints(url, found.complaints, _number_patterns(organisation))
        document["adopted_deliveries"] = await adopt_deliveries(url, found.messages)
    return document, _status(found)


def _status(found: MissingFromTables) -> int:
    return 0 if found.is_equal else 1


def _number_patterns(path: Path) -> dict[str, str]:
    """Source → the pattern of the numbers of its procedure."""
    sources = load_organisation(path).sources
    references = {source.id: source.procedure if source.version is None else f"{source.procedure}@{source.version}" for source in sources}
    return {source: load_procedure(name, base_folder=path.parent).register_.number for source, name in references.items()}


def _instant(option: str, text: str) -> datetime | None:
    if not text:
        return None
    instant = read_instant(text)
    if instant is None:
        exit_with(f"{option}: must be an instant with offset, such as 2026-11-28T08:00:00+08:00")
    return instant


def _text(document: dict[str, Any]) -> str:
    lines = [
        f"complaints that intake lacks: {', '.join(document['complaints']) or 'none'}",
        f"events that the ledgers lack: {document['events']}, acts of people among them: {len(document['actions'])}",
        *(f"  {act['at']} {act['actor']}: {act['event']} on {act['case']}" for act in document["actions"]),
        f"messages whose outcome notify lacks: {document['messages']}",
        f"erasures to carry out again: {', '.join(document['erased_cases']) or 'none'}",
    ]
    if "records_to_read_again" in document:
        lines.append(f"adopted: {document['adopted_complaints']} complaints, {document['adopted_deliveries']} deliveries")
        lines.append(f"records that are read again: {document['records_to_read_again']}, or fewer")
    return "\n".join(lines)
