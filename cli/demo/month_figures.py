"""The figures of the month, counted from the ledger and the services' tables after everything has been processed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from cli.database import connect
from cli.service_names import SERVICES

ANSWER_EVENTS = frozenset({"first_answered", "answered", "contacted"})
MAKE_UP_DAYS = ("2026-09-20", "2026-10-10")
TOP_ROLES = frozenset({"general_manager", "company_leader"})
_DELIVERIES = "SELECT status, count(*) AS deliveries FROM notify.delivery WHERE case_id NOT LIKE 'digest:%' GROUP BY status"
_PROVIDERS = """
SELECT provider, channel, count(*) AS deliveries FROM notify.delivery
 WHERE status IN ('sent', 'delivered') AND carrier IS NULL GROUP BY 1, 2
"""


@dataclass
class MonthFigures:
    """The figures of the month; `earlier_group_members` counts the cases registered before the one that completed their group."""

    registered: int = 0
    routed_by_department: Counter[str] = field(default_factory=Counter)
    answered_in_time: int = 0
    answered_late: int = 0
    deadlines_met: int = 0
    messages_sent: int = 0
    messages_failed: int = 0
    dead_letters: int = 0
    escalated_to_the_top: int = 0
    earlier_group_members: int = 0
    reclassified_by_counting: int = 0
    due_on_make_up_days: int = 0
    events_by_type: Counter[str] = field(default_factory=Counter)
    registered_by_procedure: Counter[str] = field(default_factory=Counter)
    messages_by_provider: Counter[str] = field(default_factory=Counter)

    def count_event(self, event_type: str, event: Mapping[str, Any], previous_type: str) -> None:
        """Count an event of the ledger; `previous_type` is that of the case's last event that no clock caused."""
        self.events_by_type[event_type] += 1
        match event_type:
            case "registered":
                self.registered += 1
                self.registered_by_procedure[event["procedure"]] += 1
            case "routed" | "reassigned":
                self.routed_by_department[event["department"]] += 1
            case "route_proposed":
                self.routed_by_department[f"{event['department']} (proposed)"] += 1
            case "clock_stopped":
                self._count_stopped_clock(event, previous_type)
            case "escalated" if event.get("role") in TOP_ROLES:
                self.escalated_to_the_top += 1
            case "group_found":
                self.earlier_group_members += len(event["members"]) - 1
            case "reclassified" if event.get("by") == "triage":
                self.reclassified_by_counting += 1
        if event_type in ("clock_started", "clock_breached") and str(event.get("due_at", ""))[:10] in MAKE_UP_DAYS:
            self.due_on_make_up_days += 1

    def _count_stopped_clock(self, event: Mapping[str, Any], previous_type: str) -> None:
        in_time = event.get("in_time", True)
        self.deadlines_met += in_time
        if previous_type in ANSWER_EVENTS:
            self.answered_in_time += in_time
            self.answered_late += not in_time


async def read_month_figures(database_url: str) -> MonthFigures:
    """Read the ledger, deliveries and dead letters."""
    figures = MonthFigures()
    async with connect(database_url) as connection:
        case, previous_type = "", ""
        for row in await connection.fetch("SELECT case_id, type, body FROM sla.ledger ORDER BY case_id, sequence"):
            if row["case_id"] != case:
                case, previous_type = row["case_id"], ""
            figures.count_event(row["type"], orjson.loads(row["body"]), previous_type)
            if not row["type"].startswith("clock_"):
                previous_type = row["type"]
        rows = await connection.fetch(_DELIVERIES)
        deliveries = {row["status"]: row["deliveries"] for row in rows}
        for row in await connection.fetch(_PROVIDERS):
            figures.messages_by_provider[row["provider"] or row["channel"]] += row["deliveries"]
        figures.messages_failed = deliveries.get("failed", 0)
        figures.messages_sent = sum(deliveries.values()) - figures.messages_failed - deliveries.get("pending", 0)
        for schema in SERVICES:
            figures.dead_letters += await connection.fetchval(f"SELECT count(*) FROM {schema}.dead_letter")  # noqa: S608 - a constant
    return figures


async def count_pending_rows(database_url: str, services: Sequence[str], *, deliveries: bool) -> int:
    """Count the rows of the services' outboxes, and with `deliveries` the messages that notify has yet to send."""
    async with connect(database_url) as connection:
        total = 0
        for schema in services:
            total += await connection.fetchval(f"SELECT count(*) FROM {schema}.outbox")  # noqa: S608 - a constant
        if deliveries:
            total += await connection.fetchval("SELECT count(*) FROM notify.delivery WHERE status = 'pending'")
        return int(total)
