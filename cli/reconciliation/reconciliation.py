"""Holds every service's tables and every topic against the accepted submissions: nothing lost, nothing twice, nothing out of order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from cli.reconciliation.table_contents import EventPosition, TableContents, read_tables
from cli.reconciliation.topic_contents import ScannedRecord, TopicReader, topic_reader
from shared.contracts.topics import CASE_EVENTS, COMPLAINT_EVENTS, NOTIFICATION_EVENTS, TRIAGE_EVENTS

_DEPARTMENT = "department-"
DUTY_KEY_PREFIX = "duty:"
_MAX_DETAILS = 20
_EXPECTED_OUTCOMES = {
    "pending": (),
    "sent": ("notification_sent",),
    "delivered": ("notification_sent", "notification_delivered"),
    "failed": ("notification_failed",),
}
"""What notify has said of a delivery in each state."""


@dataclass
class Reconciliation:
    """What was found.

    `counts` gives how many there are in each place, `lost` what is missing somewhere, `duplicated` what stands somewhere twice,
    `disordered` what comes before something earlier of its case, `unexpected` what nobody asked for. `repeated` counts records that the
    relay sent again under the same `ce_id` after a crash: consumers know them by that id. `details` says where, in words.
    """

    accepted: int
    counts: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    duplicated: int = 0
    disordered: int = 0
    unexpected: int = 0
    repeated: int = 0
    details: list[str] = field(default_factory=list)

    @property
    def is_consistent(self) -> bool:
        """Whether all is there, once and in order."""
        return not (self.lost or self.duplicated or self.disordered or self.unexpected)

    def compare(self, name: str, expected: Collection[Any], counted: Mapping[Any, int]) -> None:
        """Note what is missing, there more than once, or there without reason."""
        self.counts[name] = sum(counted.values())
        missing = [each for each in expected if each not in counted]
        twice = [each for each, number in counted.items() if number > 1]
        wanted = set(expected)
        strange = [each for each in counted if each not in wanted]
        self.lost += len(missing)
        self.duplicated += sum(counted[each] - 1 for each in twice)
        self.unexpected += len(strange)
        for what, listed in (("missing", missing), ("more than once", twice), ("unexpected", strange)):
            if listed:
                self.details.append(f"{name}: {len(listed)} {what}, e.g. {', '.join(map(str, listed[:3]))}")


@dataclass
class _TopicContents:
    """One topic: how often each event stands in it, and the records with their repetitions left out."""

    name: str
    positions: Counter[EventPosition] = field(default_factory=Counter)
    first_decisions: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    cases: Counter[str] = field(default_factory=Counter)
    registered: Counter[str] = field(default_factory=Counter)
    disordered: list[str] = field(default_factory=list)
    repeated: int = 0


async def reconcile(
    database_url: str,
    bootstrap_servers: str,
    topic_prefix: str,
    accepted: Collection[str],
    actions: Mapping[str, int] | None = None,
    *,
    outcomes_read: bool = True,
) -> Reconciliation:
    """Read all tables and topics and compare; to be called when nothing moves any more.

    `accepted` are the ids of the cases that intake has taken in, `actions` says how many actions each case was sent that sla has taken.
    `outcomes_read` is false where sla was stopped before notify had sent everything, so that sla does not know all outcomes.
    """
    result = Reconciliation(len(set(accepted)))
    async with topic_reader(bootstrap_servers, topic_prefix) as reader:
        departments = [name.removeprefix(_DEPARTMENT) for name in await reader.topic_names() if name.startswith(_DEPARTMENT)]
        names = [COMPLAINT_EVENTS.name, TRIAGE_EVENTS.name, CASE_EVENTS.name, NOTIFICATION_EVENTS.name]
        topics = {name: await _read_topic(reader, name) for name in (*names, *(f"{_DEPARTMENT}{each}" for each in departments))}
    tables = await read_tables(database_url, departments)
    for contents in topics.values():
        _check_order(result, contents)
    _check_tables(result, tables, set(accepted))
    _check_topics(result, tables, set(accepted), topics)
    _check_inputs(result, tables, _inputs_by_cause(topics, actions), outcomes_read=outcomes_read)
    del result.details[_MAX_DETAILS:]
    return result


async def _read_topic(reader: TopicReader, name: str) -> _TopicContents:
    found = _TopicContents(name)
    ids: set[str] = set()
    latest: dict[str, int] = {}
    async for record in reader.records(name):
        if record.case.startswith(DUTY_KEY_PREFIX):  # a procedure's own duty, no case
            continue
        if record.id in ids:
            found.repeated += 1
            continue
        ids.add(record.id)
        if record.sequence <= latest.get(record.case, 0) and record.sequence:
            found.disordered.append(f"{record.case} event {record.sequence} after {latest[record.case]}")
        latest[record.case] = max(record.sequence, latest.get(record.case, 0))
        found.positions[(record.case, record.sequence)] += 1
        found.cases[record.case] += 1
        _count_record(found, record)
    return found


def _count_record(found: _TopicContents, record: ScannedRecord) -> None:
    if record.type == "registered":
        found.registered[record.case] += 1
    elif record.type == "classified" and found.name == TRIAGE_EVENTS.name and orjson.loads(record.body).get("registered"):
        found.first_decisions[record.case] += 1
    elif found.name == NOTIFICATION_EVENTS.name:
        found.outcomes[(orjson.loads(record.body)["delivery"], record.type)] += 1


def _check_order(result: Reconciliation, contents: _TopicContents) -> None:
    result.repeated += contents.repeated
    result.disordered += len(contents.disordered)
    if contents.disordered:
        result.details.append(f"{contents.name}: {len(contents.disordered)} out of order, e.g. {contents.disordered[0]}")


def _check_tables(result: Reconciliation, tables: TableContents, accepted: set[str]) -> None:
    once = {
        "intake.complaint": tables.intake_cases,
        "triage.known": tables.triage_cases,
        "sla.cases": tables.sla_heads.keys(),
        "sla.ledger": tables.ledgers.cases,
    }
    for place, found in once.items():
        result.compare(place, accepted, Counter(found))
    result.compare("notify.delivery", tables.ledgers.requested_deliveries.keys(), Counter(key for key, _ in tables.deliveries.values()))
    result.counts["notify.delivery, pending"] = sum(status == "pending" for _, status in tables.deliveries.values())
    asked_twice = sum(number - 1 for number in tables.ledgers.requested_deliveries.values())
    result.duplicated += asked_twice
    result.lost += len(tables.ledgers.faults) + bool(tables.number_fault)
    result.details += [*tables.ledgers.faults, *([tables.number_fault] if tables.number_fault else [])]
    result.details += [f"{asked_twice} deliveries were asked for twice"] if asked_twice else []
    unsent = sum(tables.unsent_messages.values())
    result.lost += unsent
    result.details += [f"{name}.outbox: {number} not sent" for name, number in tables.unsent_messages.items() if number]


def _check_topics(result: Reconciliation, tables: TableContents, accepted: set[str], topics: Mapping[str, _TopicContents]) -> None:
    result.compare(COMPLAINT_EVENTS.name, accepted, topics[COMPLAINT_EVENTS.name].registered)
    result.compare(f"{TRIAGE_EVENTS.name}, first decisions", accepted, topics[TRIAGE_EVENTS.name].first_decisions)
    result.compare(TRIAGE_EVENTS.name, set(topics[TRIAGE_EVENTS.name].positions), topics[TRIAGE_EVENTS.name].positions)
    result.compare(CASE_EVENTS.name, tables.ledgers.events, topics[CASE_EVENTS.name].positions)
    for name, expected in tables.ledgers.department_events.items():
        result.compare(f"{_DEPARTMENT}{name}", expected, topics[f"{_DEPARTMENT}{name}"].positions)
    outcomes = topics[NOTIFICATION_EVENTS.name].outcomes
    expected_outcomes = {
        (delivery, name) for delivery, (_, status) in tables.deliveries.items() for name in _required_outcomes(delivery, status, outcomes)
    }
    result.compare(NOTIFICATION_EVENTS.name, expected_outcomes, outcomes)


def _required_outcomes(delivery: str, status: str, outcomes: Mapping[tuple[str, str], int]) -> tuple[str, ...]:
    """What notify has to have said of a delivery; a receipt may report that what was sent has failed."""
    sent_first = status == "failed" and (delivery, "notification_sent") in outcomes
    return ("notification_sent", *_EXPECTED_OUTCOMES[status]) if sent_first else _EXPECTED_OUTCOMES[status]


def _inputs_by_cause(topics: Mapping[str, _TopicContents], actions: Mapping[str, int] | None) -> dict[str, Mapping[str, int]]:
    """How many inputs of each cause sla got, by case."""
    triage = topics[TRIAGE_EVENTS.name]
    return {
        "triage": {case: number - triage.first_decisions[case] for case, number in triage.cases.items()},
        "message": topics[NOTIFICATION_EVENTS.name].cases,
        **({} if actions is None else {"action": actions}),
    }


def _check_inputs(result: Reconciliation, tables: TableContents, sent: Mapping[str, Mapping[str, int]], *, outcomes_read: bool) -> None:
    """Every input of sla has left exactly one event of its own in the case's ledger."""
    for cause, numbers in sent.items():
        kept = {case: inputs[cause] for case, inputs in tables.ledgers.inputs_by_cause.items()}
        cases = numbers.keys() | kept.keys()
        missing = sum(max(0, numbers.get(case, 0) - kept.get(case, 0)) for case in cases) if outcomes_read or cause != "message" else 0
        extra = sum(max(0, kept.get(case, 0) - numbers.get(case, 0)) for case in cases)
        result.counts[f"sla.ledger, from {cause}"] = sum(kept.values())
        result.lost += missing
        result.duplicated += extra
        if missing or extra:
            result.details.append(f"inputs from {cause}: {missing} without effect, {extra} effects too many")
