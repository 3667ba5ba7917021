"""Compares the tables of a restored database with the topics, which are ahead of it, and gives intake back what only topics have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from cli.clock import REPORT_ZONE
from cli.database import connect
from cli.reconciliation.topic_contents import TopicReader
from services.intake.domain.number_series import read_number
from services.intake.storage.complaints import ERASED_FINGERPRINT
from shared.contracts.events.from_work_to_closing import PersonErased
from shared.contracts.events.triage import Registered
from shared.contracts.instants import read_instant
from shared.contracts.topics import CASE_EVENTS, COMPLAINT_EVENTS, NOTIFICATION_EVENTS
from shared.runtime.errors import Misconfigured

_EVENTS = "SELECT case_id, sequence, type FROM sla.ledger"
_INSERT = """
INSERT INTO intake.complaint (case_id, number, source, channel, external_id, received_at, registered_at, fingerprint, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (case_id) DO NOTHING
"""
# Without address and text, as every settled delivery.
_INSERT_DELIVERY = """
INSERT INTO notify.delivery (id, case_id, notification, recipient, channel, template, because, status, due_at, first_due_at, settled_at,
    address, subject, text, reason, attempts, provider, parts)
VALUES ($1, $2, $3, $4, $5, '', $6, $7, $8, $8, now(), '', '', '', $9, $10, $11, $12) ON CONFLICT (id) DO NOTHING
"""
_BECAUSE_FIELDS = ("procedure", "version", "rule", "clause")
_RAISE_BOOK = """
INSERT INTO intake.book (register, year, last) VALUES ($1, $2, $3)
ON CONFLICT (register, year) DO UPDATE SET last = greatest(book.last, excluded.last)
"""


@dataclass(frozen=True, slots=True)
class LostEvent:
    """An event of a case that a topic has and the ledger has not, or has in another type under its number."""

    case: str
    sequence: int
    type: str
    actor: str
    at: str
    stored_type: str = ""


@dataclass(slots=True)
class MissingFromTables:
    """Records of the topics that the restored tables lack; `messages` maps a delivery to its latest outcome."""

    complaints: list[dict[str, Any]] = field(default_factory=list)
    events: list[LostEvent] = field(default_factory=list)
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    erased_cases: list[str] = field(default_factory=list)

    @property
    def is_equal(self) -> bool:
        """Whether the tables lack nothing that the topics have."""
        return not (self.complaints or self.events or self.messages or self.erased_cases)

    def document(self) -> dict[str, Any]:
        """The comparison as JSON; `actions` are the lost acts of people, which only those who did them can repeat."""
        acts = [event for event in self.events if event.actor]
        return {
            "complaints": sorted(body["complaint"]["number"] for body in self.complaints),
            "events": len(self.events),
            "actions": [
                {"case": event.case, "event": event.type, "actor": event.actor, "at": event.at, "stored": event.stored_type}
                for event in acts
            ],
            "messages": len(self.messages),
            "erased_cases": self.erased_cases,
        }


async def compare_with_topics(database_url: str, reader: TopicReader) -> MissingFromTables:
    """Compare complaints, events of cases and deliveries with their topics."""
    found, names = MissingFromTables(), set(await reader.topic_names())
    async with connect(database_url) as connection:
        complaints = {row[0] for row in await connection.fetch("SELECT case_id FROM intake.complaint")}
        events = {(row[0], row[1]): row[2] for row in await connection.fetch(_EVENTS)}
        deliveries = {str(row[0]) for row in await connection.fetch("SELECT id FROM notify.delivery")}
    if COMPLAINT_EVENTS.name in names:
        async for record in reader.records(COMPLAINT_EVENTS.name):
            if record.type == Registered.name and record.case not in complaints:
                found.complaints.append(orjson.loads(record.body))
    if CASE_EVENTS.name in names:
        async for record in reader.records(CASE_EVENTS.name):
            stored = events.get((record.case, record.sequence), "")
            if stored != record.type and record.sequence:
                body = orjson.loads(record.body)
                found.events.append(LostEvent(record.case, record.sequence, record.type, body.get("actor", ""), body["at"], stored))
            if record.type == PersonErased.name and stored != record.type:
                found.erased_cases.append(record.case)
    if NOTIFICATION_EVENTS.name in names:
        async for record in reader.records(NOTIFICATION_EVENTS.name):
            outcome = orjson.loads(record.body)
            if outcome["delivery"] not in deliveries:
                found.messages[outcome["delivery"]] = {**outcome, "type": record.type}
    return found


async def adopt_complaints(database_url: str, bodies: Sequence[Mapping[str, Any]], patterns: Mapping[str, str]) -> int:
    """Insert lost complaints as they were published, and raise the number series past theirs; returns how many.

    `patterns` maps a source to the pattern of its procedure's numbers. Without a raised series the next complaints would get numbers that
    are in use. Raises `Misconfigured` for a number that no pattern explains.
    """
    async with connect(database_url) as connection, connection.transaction():
        for body in bodies:
            await _adopt(connection, body, _series(body, patterns))
    return len(bodies)


def _series(body: Mapping[str, Any], patterns: Mapping[str, str]) -> tuple[str, int, int]:
    """Register, year and place of a complaint's number."""
    complaint = body["complaint"]
    read = read_number(patterns.get(complaint["source"], ""), complaint["number"])
    if read is None:
        raise Misconfigured(
            f"{complaint['number']}: is no number of source {complaint['source']}; name its organisation file and procedure"
        )
    year, place = read
    registered = read_instant(complaint["registered_at"])
    return body["procedure"], year or (registered.astimezone(REPORT_ZONE).year if registered else 0), place


async def _adopt(connection: asyncpg.Connection, body: Mapping[str, Any], series: tuple[str, int, int]) -> None:
    complaint = body["complaint"]
    received, registered = read_instant(complaint["received_at"]), read_instant(complaint["registered_at"])
    # The submission itself is gone: whatever the source sends again under its reference is taken for the same.
    fixed = (complaint["source"], complaint["channel"], complaint.get("external_id"), received, registered, ERASED_FINGERPRINT)
    await connection.execute(_INSERT, body["case"], complaint["number"], *fixed, orjson.dumps(body).decode())
    await connection.execute(_RAISE_BOOK, *series)


async def adopt_deliveries(database_url: str, outcomes: Mapping[str, Mapping[str, Any]]) -> int:
    """Insert the deliveries whose outcome only the topic has; returns how many.

    Their requests are read again: a delivery that is stored is not sent a second time.
    """
    async with connect(database_url) as connection, connection.transaction():
        for delivery, outcome in outcomes.items():
            because = orjson.dumps({name: outcome[name] for name in _BECAUSE_FIELDS if name in outcome}).decode()
            names = (outcome["case"], outcome["notification"], outcome["recipient"], outcome["channel"], because)
            sent = (outcome.get("reason", ""), outcome.get("attempts", 0), outcome.get("provider", ""), outcome.get("parts", 0))
            status = outcome["type"].removeprefix("notification_")
            await connection.execute(_INSERT_DELIVERY, UUID(delivery), *names, status, read_instant(outcome["at"]), *sent)
    return len(outcomes)
