"""Reads the notifications that a recorded case requested: from an evidence archive, or from the database of sla."""

from pathlib import Path

from cli.database import query_service
from cli.exit_status import exit_with
from services.sla.evidence.archive import ArchiveError, parse_ledger_rows, read_archive
from services.sla.storage import case_histories
from shared.contracts.events import decode_event
from shared.contracts.events.notifications import NotificationRequested
from shared.runtime.database.database import Database


def requests_of_case(case: str) -> list[NotificationRequested]:
    """The requests in the case's ledger, without those that another message includes; ends the command for an unknown case."""
    if Path(case).is_file():
        try:
            rows = [(row.type, row.body) for row in parse_ledger_rows(read_archive(Path(case))["ledger.jsonl"])]
        except ArchiveError as error:
            exit_with(f"{case}: {error}")
    else:
        rows = query_service("sla", lambda database: _ledger(database, case))
    if not rows:
        exit_with(f"{case}: there is no such case; give a case's id, the file of an evidence archive, or `example`")
    events = [decode_event(name, body) for name, body in rows if name == NotificationRequested.name]
    return [event for event in events if isinstance(event, NotificationRequested) and not event.merged_into]


async def _ledger(database: Database, case: str) -> list[tuple[str, bytes]]:
    return [(row.type, row.body) async for history in case_histories.load_case_histories(database, [case]) for row in history.rows]
