"""Keeps groups as things of their own, with the alarm and the history of each, from the events that triage publishes."""

from collections.abc import Iterable
from datetime import datetime

from services.triage.domain.groups.counters import group_founder
from services.triage.storage import group_pages
from services.triage.storage.group_pages import GroupHistoryRow, GroupRow
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.from_work_to_closing import Linked, Unlinked
from shared.contracts.events.triage import GroupDissolved, GroupFound
from shared.runtime.database.database import Transaction


async def follow_groups(tx: Transaction, events: Iterable[CaseEvent]) -> None:
    """Apply the events of groups among these, in order."""
    found: dict[str, GroupRow] = {}
    dissolved: dict[str, datetime] = {}
    history = []
    for event in events:
        if not isinstance(event, GroupFound | GroupDissolved | Linked | Unlinked) or not event.group:
            continue
        history.append(GroupHistoryRow(event.group, event.at, event.type, event.case))
        if isinstance(event, GroupFound):
            dissolved.pop(event.group, None)
            found[event.group] = _group_row(event)
        elif isinstance(event, GroupDissolved):
            dissolved[event.group] = event.at
    await group_pages.save_groups(tx, list(found.values()), list(dissolved.items()))
    await group_pages.add_history(tx, history)


def _group_row(event: GroupFound) -> GroupRow:
    # The case that the alarm stands on: a recount finds a group near any of its cases, which need not have completed it.
    founder = event.case if event.case in event.members else group_founder(event.group)
    return GroupRow(event.group, event.procedure, event.rule, event.key, event.clause, founder, event.at, event.count)
