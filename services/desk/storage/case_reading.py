"""Reads one case of the read model: its row, events, deadlines, messages and attachments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.desk.domain.viewer import Viewer
from services.desk.storage.visibility import visible_to
from shared.runtime.database.database import Transaction

_MAX_EVENTS = 1_000
_EVENTS = """
SELECT sequence, type, role, actor, clause, rule, at FROM case_event WHERE case_id = $1 ORDER BY sequence DESC LIMIT $2
"""
_DEADLINES = """
SELECT clock, round, state, clause, role, due_at, started_at, breached_at, ended_at FROM case_deadline
 WHERE case_id = $1 ORDER BY ended_at NULLS FIRST, due_at NULLS LAST, clock, round
"""
_MESSAGES = """
SELECT message.notification, template, about, message.at, urgent, recipients, merged_into, channel, recipient, status, reason
  FROM case_message AS message LEFT JOIN case_delivery AS delivery ON delivery.notification = message.notification
 WHERE message.case_id = $1 ORDER BY message.at DESC, message.notification, delivery.delivery LIMIT $2
"""
_ATTACHMENTS = "SELECT attachment, at FROM case_attachment WHERE case_id = $1 ORDER BY at, attachment"


@dataclass(frozen=True, slots=True)
class CaseReading:
    """Rows of a case; the bodies of events are read through sla, which leaves out what the person may not see."""

    row: Mapping[str, Any]
    events: list[Mapping[str, Any]]
    deadlines: list[Mapping[str, Any]]
    messages: list[Mapping[str, Any]]
    attachments: list[Mapping[str, Any]]


async def is_opened(tx: Transaction, case_id: str, viewer: Viewer) -> bool:
    """Whether the viewer sees the case and sla has opened it: the desk reads a registration before sla's first event of it."""
    conditions = visible_to(viewer)
    conditions.add("case_id = {0} AND sequence > 0", case_id)
    found = await tx.fetchval(f"SELECT EXISTS (SELECT FROM case_row WHERE {conditions.where})", *conditions.parameters)  # noqa: S608 - ours
    return bool(found)


async def load_case(tx: Transaction, case_id: str, viewer: Viewer) -> CaseReading | None:
    """The case; None where there is none that the person sees."""
    conditions = visible_to(viewer)
    conditions.add("case_id = {0}", case_id)
    row = await tx.fetchrow(f"SELECT * FROM case_row WHERE {conditions.where}", *conditions.parameters)  # noqa: S608 - our conditions
    if row is None:
        return None
    return CaseReading(
        row,
        await tx.fetch(_EVENTS, case_id, _MAX_EVENTS),
        await tx.fetch(_DEADLINES, case_id),
        await tx.fetch(_MESSAGES, case_id, _MAX_EVENTS),
        await tx.fetch(_ATTACHMENTS, case_id),
    )
