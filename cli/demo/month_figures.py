"""What the month came to, counted from the ledger and the services' tables once everything has come to rest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson

from cli.database import connect
from cli.service_names import SERVICES

ANSWER_EVENTS = frozenset({"first_answered", "answered", "contacted"})
MAKE_UP_DAYS = ("2026-09-20", "2026-10-10")
TOP = frozenset({"general_manager", "company_leader"})


@dataclass
class MonthFigures:
    """The figures of the month; `routed` by department, `events` by type, `reached_back` counts members registered before their group."""

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

    def count_event(self, event_type: str, data: dict[str, Any], previous_type: str) -> None:
        """Count one event of the ledger; `previous` is the last event before it that was not a clock's."""
        self.events_by_type[event_type] += 1
        match event_type:
            case "registered":
                self.registered += 1
                self.registered_by_procedure[data["procedure"]] += 1
            case "routed" | "route_proposed" | "reassigned":
                name = data["department"]
                self.routed_by_department[name if event_type != "route_proposed" else f"{name} (proposed)"] += 1
            case "clock_stopped":
                self._count_stopped(data, previous_type)
            case "escalated" if data.get("role") in TOP:
                self.escalated_to_the_top += 1
            case "group_found":
                self.earlier_group_members += len(data["members"]) - 1
            case "reclassified" if data.get("by") == "triage":
                self.reclassified_by_counting += 1
        if event_type in ("clock_started", "clock_breached") and str(data.get("due_at", ""))[:10] in MAKE_UP_DAYS:
            self.due_on_make_up_days += 1

    def _count_stopped(self, data: dict[str, Any], previous: str) -> None:
        in_time = data.get("in_time", True)
        self.deadlines_met += in_time
        if previous in ANSWER_EVENTS:
            self.answered_in_time += in_time
            self.answered_late += not in_time


async def read_month_figures(database_url: str) -> MonthFigures:
    """The month's figures from the services' tables."""
    async with connect(database_url) as connection:
        month = MonthFigures()
        case, previous = "", ""
        for row in await connection.fetch("SELECT case_id, type, body FROM sla.ledger ORDER BY case_id, sequence"):
            if row["case_id"] != case:
                case, previous = row["case_id"], ""
            month.count_event(row["type"], orjson.loads(row["body"]), previous)
            if not row["type"].startswith("clock_"):
                previous = row["type"]
        statuses = await connection.fetch("SELECT status, count(*) AS n FROM notify.delivery GROUP BY status")
        sent = {row["status"]: row["n"] for row in statuses}
        month.messages_failed = sent.get("failed", 0)
        month.messages_sent = sum(sent.values()) - month.messages_failed - sent.get("pending", 0)
        for schema in SERVICES:
            month.dead_letters += await connection.fetchval(f"SELECT count(*) FROM {schema}.dead_letter")  # noqa: S608  # a constant
        return month


async def count_pending_rows(database_url: str, services: tuple[str, ...], *, deliveries: bool) -> int:
    """Rows that still wait: the outboxes of these services, and deliveries that are not settled where they are asked for."""
    async with connect(database_url) as connection:
        total = 0
        for schema in services:
            total += await connection.fetchval(f"SELECT count(*) FROM {schema}.outbox")  # noqa: S608  # a constant
        if deliveries:
            total += await connection.fetchval("SELECT count(*) FROM notify.delivery WHERE status = 'pending'")
        return int(total)
