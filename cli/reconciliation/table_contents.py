"""What the services' tables hold, as far as it can be held against each other and against the topics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import asyncpg
import orjson

from services.notify.domain.recipients import RecipientDirectory, resolve_recipients
from services.sla.domain.evidence.hash_chain import GENESIS_HASH, LedgerEntry, verify_chain
from services.sla.domain.views.redaction import NOT_FOR_DEPARTMENTS
from shared.contracts.events.notifications import NotificationRequested
from shared.procedures.organisation import open_organisation

EventPosition = tuple[str, int]
"""A case and the number of an event in it."""
_LEDGER = "SELECT case_id, sequence, type, cause, origin, body, hash FROM sla.ledger ORDER BY case_id, sequence"
_PAGE = 2000


@dataclass
class LedgerContents:
    """What sla's ledger says.

    `projected` names for each department the events that belong on its topic, `requested` the deliveries that were asked for, `inputs`
    how many inputs of each cause (`action`, `triage`, `message`) left an event, by case; `faulty` says what is wrong with the chains.
    """

    cases: set[str] = field(default_factory=set)
    events: set[EventPosition] = field(default_factory=set)
    department_events: dict[str, set[EventPosition]] = field(default_factory=dict)
    requested_deliveries: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    inputs_by_cause: dict[str, Counter[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


@dataclass
class TableContents:
    """What all services keep: cases by service, deliveries with their status, the ledger, and what still waits."""

    intake_cases: set[str]
    triage_cases: set[str]
    sla_heads: dict[str, tuple[int, bytes]]
    deliveries: dict[str, tuple[tuple[str, str, str, str], str]]
    ledgers: LedgerContents
    number_fault: str
    unsent_messages: dict[str, int]


async def read_tables(database_url: str, departments: Collection[str]) -> TableContents:
    """Everything, in one snapshot; `departments` are those that have a topic."""
    connection = await asyncpg.connect(database_url.replace("postgresql+asyncpg://", "postgresql://", 1))
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return await _read(connection, departments)
    finally:
        await connection.close()


async def _read(connection: asyncpg.Connection, departments: Collection[str]) -> TableContents:
    cases = await connection.fetch("SELECT id, sequence, head FROM sla.cases")
    heads = {row["id"]: (row["sequence"], row["head"]) for row in cases}
    deliveries = await connection.fetch(
        "SELECT id, case_id, notification, recipient, channel, status FROM notify.delivery WHERE case_id NOT LIKE 'duty:%'"
    )
    return TableContents(
        intake_cases={row["case_id"] for row in await connection.fetch("SELECT case_id FROM intake.complaint")},
        triage_cases={row["case_id"] for row in await connection.fetch("SELECT case_id FROM triage.known")},
        sla_heads=heads,
        deliveries={
            str(row["id"]): ((row["case_id"], row["notification"], row["recipient"], row["channel"]), row["status"]) for row in deliveries
        },
        ledgers=await _ledgers(connection, heads, departments),
        number_fault=await _number_fault(connection),
        unsent_messages={
            name: await connection.fetchval(f"SELECT coalesce(sum(messages), 0) FROM {name}.outbox")  # noqa: S608 - our own schemas
            for name in ("intake", "triage", "sla", "notify")
        },
    )


async def _number_fault(connection: asyncpg.Connection) -> str:
    """What is wrong with the books' numbers, empty if they have no gap and no number twice."""
    given = await connection.fetchval("SELECT coalesce(sum(last), 0)::bigint FROM intake.book")
    used, different = await connection.fetchrow("SELECT count(*), count(DISTINCT number) FROM intake.complaint")
    return "" if given == used == different else f"case numbers: {given} given, {used} used, {different} of them different"


async def _ledgers(connection: asyncpg.Connection, heads: Mapping[str, tuple[int, bytes]], departments: Collection[str]) -> LedgerContents:
    found = LedgerContents(department_events={name: set() for name in departments})
    rows: list[asyncpg.Record] = []
    async for row in connection.cursor(_LEDGER, prefetch=_PAGE):
        if rows and row["case_id"] != rows[0]["case_id"]:
            _add_case(found, rows, heads)
            rows = []
        rows.append(row)
    if rows:
        _add_case(found, rows, heads)
    return found


def _add_case(found: LedgerContents, rows: list[asyncpg.Record], heads: Mapping[str, tuple[int, bytes]]) -> None:
    """One case's ledger."""
    case = rows[0]["case_id"]
    found.cases.add(case)
    found.events.update((case, row["sequence"]) for row in rows)
    found.inputs_by_cause[case] = Counter(row["cause"] for row in rows)
    wrong = verify_chain(LedgerEntry(row["sequence"], row["body"], row["hash"]) for row in rows)
    if heads.get(case, (0, GENESIS_HASH)) != (rows[-1]["sequence"], rows[-1]["hash"]):
        wrong.append("the ledger does not end where the case says")
    found.faults += [f"{case}: {text}" for text in wrong]
    for department, sequence in _department_events(rows):
        if department in found.department_events:
            found.department_events[department].add((case, sequence))
    for row in rows:
        if row["type"] == NotificationRequested.name:
            found.requested_deliveries.update(_requested_deliveries(orjson.loads(row["body"])))


def _department_events(rows: list[asyncpg.Record]) -> Iterator[tuple[str, int]]:
    """Department and event for all that is shown; a decision's events go to whoever has the case before it or after it."""
    holders: tuple[str, ...] = ()
    decision = 0
    numbered = []
    for row in rows:
        decision += bool(row["origin"])
        numbered.append((decision, row))
    for _, listed in groupby(numbered, key=lambda pair: pair[0]):
        together = [row for _, row in listed]
        before = holders
        for row in together:
            if row["type"] in ("routed", "reassigned"):
                body = orjson.loads(row["body"])
                holders = tuple(dict.fromkeys((body["department"], *body.get("cooperating", []))))
            elif row["type"] == "returned":
                holders = ()
        yield from (
            (name, row["sequence"])
            for row in together
            if row["type"] not in NOT_FOR_DEPARTMENTS
            for name in dict.fromkeys((*holders, *before))
        )


def _requested_deliveries(body: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Case, notification, recipient and channel of each delivery that a request becomes."""
    request = NotificationRequested.model_validate(body)
    for to in resolve_recipients(request, RecipientDirectory(open_organisation()), None):
        yield request.case, request.notification, to.id, to.channel
