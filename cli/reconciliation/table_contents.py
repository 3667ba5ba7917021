"""Reads from the services' tables what can be compared with each other and with the topics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import asyncpg
import orjson

from cli.database import connect
from cli.service_names import SERVICES
from services.notify.domain.recipients import RecipientDirectory, resolve_recipients
from services.sla.domain.evidence.hash_chain import GENESIS_HASH, LedgerEntry, verify_chain
from services.sla.domain.views.redaction import NOT_FOR_DEPARTMENTS
from shared.contracts.events.notifications import NotificationRequested
from shared.procedures.organisation import open_organisation

EventPosition = tuple[str, int]
"""A case id and the sequence number of an event in that case."""
_DeliveryKey = tuple[str, str, str, str]
"""Case, notification, recipient, channel."""
_COMPLAINTS = "SELECT case_id FROM intake.complaint"
_KNOWN = "SELECT case_id FROM triage.known"
_HEADS = "SELECT id, sequence, head, personal_key FROM sla.cases"
_LEDGER = "SELECT case_id, sequence, type, cause, origin, body, hash FROM sla.ledger ORDER BY case_id, sequence"
_DELIVERIES = "SELECT id, case_id, notification, recipient, channel, status FROM notify.delivery WHERE case_id !~ '^(duty|digest):'"
_PREFETCHED_ROWS = 2000


class StoredHead(NamedTuple):
    """The columns of a case that concern its ledger: number and hash of the last event, and the key of its personal values."""

    sequence: int
    hash: bytes
    personal_key: bytes


@dataclass
class LedgerContents:
    """The contents of sla's ledger.

    `department_events` are the events that belong on each department's topic, `requested_deliveries` what notify had to send,
    `inputs_by_cause` maps a case to how many inputs of each cause (`action`, `triage`, `message`) left an event, `faults` names broken
    hash chains.
    """

    cases: set[str] = field(default_factory=set)
    events: set[EventPosition] = field(default_factory=set)
    department_events: dict[str, set[EventPosition]] = field(default_factory=dict)
    requested_deliveries: Counter[_DeliveryKey] = field(default_factory=Counter)
    inputs_by_cause: dict[str, Counter[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


@dataclass
class TableContents:
    """The contents of all services' tables: cases, deliveries (id → key and status), ledgers, and messages that no relay has sent yet."""

    intake_cases: set[str]
    triage_cases: set[str]
    sla_heads: dict[str, StoredHead]
    deliveries: dict[str, tuple[_DeliveryKey, str]]
    ledgers: LedgerContents
    number_fault: str
    unsent_messages: dict[str, int]


async def read_tables(database_url: str, departments: Collection[str], left_out: Callable[[str], bool]) -> TableContents:
    """Read all tables in one snapshot, without the cases that are `left_out`; `departments` are those that have a topic."""
    # One snapshot: with services still running, a table read later would hold cases that one read earlier lacks.
    async with connect(database_url) as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        heads = {
            row["id"]: StoredHead(row["sequence"], row["head"], row["personal_key"])
            for row in await connection.fetch(_HEADS)
            if not left_out(row["id"])
        }
        complaints = await connection.fetch(_COMPLAINTS)
        known = await connection.fetch(_KNOWN)
        deliveries = await connection.fetch(_DELIVERIES)
        return TableContents(
            intake_cases={row["case_id"] for row in complaints if not left_out(row["case_id"])},
            triage_cases={row["case_id"] for row in known if not left_out(row["case_id"])},
            sla_heads=heads,
            deliveries={str(row["id"]): (_delivery_key(row), row["status"]) for row in deliveries if not left_out(row["case_id"])},
            ledgers=await _read_ledgers(connection, heads, departments, left_out),
            number_fault=await _number_fault(connection),
            unsent_messages={service: await _count_unsent(connection, service) for service in SERVICES},
        )


def _delivery_key(row: asyncpg.Record) -> _DeliveryKey:
    return row["case_id"], row["notification"], row["recipient"], row["channel"]


async def _count_unsent(connection: asyncpg.Connection, service: str) -> int:
    return int(await connection.fetchval(f"SELECT coalesce(sum(messages), 0) FROM {service}.outbox"))  # noqa: S608 - a constant


async def _number_fault(connection: asyncpg.Connection) -> str:
    """Empty where the case numbers have no gap and none is used twice."""
    issued = await connection.fetchval("SELECT coalesce(sum(last), 0)::bigint FROM intake.book")
    used, different = await connection.fetchrow("SELECT count(*), count(DISTINCT number) FROM intake.complaint")
    return "" if issued == used == different else f"case numbers: {issued} issued, {used} used, {different} of them different"


async def _read_ledgers(
    connection: asyncpg.Connection, heads: Mapping[str, StoredHead], departments: Collection[str], left_out: Callable[[str], bool]
) -> LedgerContents:
    contents = LedgerContents(department_events={department: set() for department in departments})
    rows: list[asyncpg.Record] = []
    # From a cursor, so that memory holds one case's ledger at a time.
    async for row in connection.cursor(_LEDGER, prefetch=_PREFETCHED_ROWS):
        if left_out(row["case_id"]):
            continue
        if rows and row["case_id"] != rows[0]["case_id"]:
            add_ledger(contents, rows, heads)
            rows = []
        rows.append(row)
    if rows:
        add_ledger(contents, rows, heads)
    return contents


def add_ledger(contents: LedgerContents, rows: list[asyncpg.Record], heads: Mapping[str, StoredHead]) -> None:
    """Add the ledger of one case."""
    case = rows[0]["case_id"]
    contents.cases.add(case)
    contents.events.update((case, row["sequence"]) for row in rows)
    contents.inputs_by_cause[case] = Counter(row["cause"] for row in rows)
    head = heads.get(case, StoredHead(0, GENESIS_HASH, b""))
    faults = verify_chain([LedgerEntry(row["sequence"], row["body"], row["hash"]) for row in rows], head.personal_key)
    if (head.sequence, head.hash) != (rows[-1]["sequence"], rows[-1]["hash"]):
        faults.append("the case's head is not the last event of its ledger")
    contents.faults += [f"{case}: {fault}" for fault in faults]
    for department, sequence in _department_events(rows):
        if department in contents.department_events:
            contents.department_events[department].add((case, sequence))
    for row in rows:
        if row["type"] == NotificationRequested.name:
            contents.requested_deliveries.update(_requested_deliveries(orjson.loads(row["body"])))


def _department_events(rows: list[asyncpg.Record]) -> Iterator[tuple[str, int]]:
    """Department and sequence number of the events on department topics; a decision's events go to those that had or get the case."""
    holders: tuple[str, ...] = ()
    for decision in _group_by_decision(rows):
        earlier_holders = holders
        for row in decision:
            if row["type"] in ("routed", "reassigned"):
                body = orjson.loads(row["body"])
                holders = tuple(dict.fromkeys((body["department"], *body.get("cooperating", []))))
            elif row["type"] == "returned":
                holders = ()
        departments = dict.fromkeys((*holders, *earlier_holders))
        for row in decision:
            if row["type"] not in NOT_FOR_DEPARTMENTS:
                yield from ((department, row["sequence"]) for department in departments)


def _group_by_decision(rows: list[asyncpg.Record]) -> Iterator[list[asyncpg.Record]]:
    """The events of each decision; only its first event has an `origin`."""
    decision: list[asyncpg.Record] = []
    for row in rows:
        if row["origin"] and decision:
            yield decision
            decision = []
        decision.append(row)
    yield decision


def _requested_deliveries(body: dict[str, Any]) -> Iterator[_DeliveryKey]:
    """The deliveries that a `notification_requested` becomes; none if another request's message includes it."""
    request = NotificationRequested.model_validate(body)
    if request.merged_into:
        return
    # Recipients follow from the request alone; the organisation adds only addresses, which are not compared.
    for recipient in resolve_recipients(request, RecipientDirectory(open_organisation()), None):
        yield request.case, request.notification, recipient.id, recipient.channel
