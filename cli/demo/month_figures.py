"""What the month came to, counted from the ledger and the services' tables once everything has come to rest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import orjson

ANSWERS = frozenset({"first_answered", "answered", "contacted"})
MAKE_UP_DAYS = ("2026-09-20", "2026-10-10")
TOP = frozenset({"general_manager", "company_leader"})


@dataclass
class Month:
    """The figures of the month; `routed` by department, `events` by type, `reached_back` counts members registered before their group."""

    registered: int = 0
    routed: Counter[str] = field(default_factory=Counter)
    answered_in_time: int = 0
    answered_late: int = 0
    met_in_time: int = 0
    messages_sent: int = 0
    messages_failed: int = 0
    dead_letters: int = 0
    refused_records: int = 0
    escalated_to_the_top: int = 0
    reached_back: int = 0
    reclassified_by_counting: int = 0
    due_on_make_up_days: int = 0
    events: Counter[str] = field(default_factory=Counter)
    procedures: Counter[str] = field(default_factory=Counter)

    def see(self, kind: str, data: dict[str, Any], previous: str) -> None:
        """Count one event of the ledger; `previous` is the last event before it that was not a clock's."""
        self.events[kind] += 1
        match kind:
            case "registered":
                self.registered += 1
                self.procedures[data["procedure"]] += 1
            case "routed" | "route_proposed" | "reassigned":
                name = data["department"]
                self.routed[name if kind != "route_proposed" else f"{name} (proposed)"] += 1
            case "clock_stopped":
                self._stopped(data, previous)
            case "escalated" if data.get("role") in TOP:
                self.escalated_to_the_top += 1
            case "group_found":
                self.reached_back += len(data["members"]) - 1
            case "reclassified" if data.get("by") == "triage":
                self.reclassified_by_counting += 1
        if kind in ("clock_started", "clock_breached") and str(data.get("due_at", ""))[:10] in MAKE_UP_DAYS:
            self.due_on_make_up_days += 1

    def _stopped(self, data: dict[str, Any], previous: str) -> None:
        in_time = data.get("in_time", True)
        self.met_in_time += in_time
        if previous in ANSWERS:
            self.answered_in_time += in_time
            self.answered_late += not in_time


async def count(database_url: str) -> Month:
    """The month's figures from the services' tables."""
    connection = await asyncpg.connect(database_url.replace("postgresql+asyncpg://", "postgresql://", 1))
    try:
        month = Month()
        case, previous = "", ""
        for row in await connection.fetch("SELECT case_id, type, body FROM sla.ledger ORDER BY case_id, sequence"):
            if row["case_id"] != case:
                case, previous = row["case_id"], ""
            month.see(row["type"], orjson.loads(row["body"]), previous)
            if not row["type"].startswith("clock_"):
                previous = row["type"]
        statuses = await connection.fetch("SELECT status, count(*) AS n FROM notify.delivery GROUP BY status")
        sent = {row["status"]: row["n"] for row in statuses}
        month.messages_failed = sent.get("failed", 0)
        month.messages_sent = sum(sent.values()) - month.messages_failed - sent.get("pending", 0)
        for schema in ("intake", "triage", "sla", "notify"):
            month.dead_letters += await connection.fetchval(f"SELECT count(*) FROM {schema}.dead_letter")  # noqa: S608  # a constant
        month.refused_records = await connection.fetchval("SELECT count(*) FROM intake.refusal WHERE via = 'kafka'")
        return month
    finally:
        await connection.close()


async def unsettled(database_url: str, services: tuple[str, ...], *, deliveries: bool) -> int:
    """Rows that still wait: the outboxes of these services, and deliveries that are not settled where they are asked for."""
    connection = await asyncpg.connect(database_url.replace("postgresql+asyncpg://", "postgresql://", 1))
    try:
        total = 0
        for schema in services:
            total += await connection.fetchval(f"SELECT count(*) FROM {schema}.outbox")  # noqa: S608  # a constant
        if deliveries:
            total += await connection.fetchval("SELECT count(*) FROM notify.delivery WHERE status = 'pending'")
        return int(total)
    finally:
        await connection.close()
