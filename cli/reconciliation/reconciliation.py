"""Compares every service's tables and every topic with the accepted submissions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from cli.reconciliation.table_contents import EventPosition, TableContents, read_tables
from cli.reconciliation.topic_contents import ScannedRecord, TopicReader, topic_reader
from services.sla.domain.reports.duty_schedule import DUTY_KEY_PREFIX
from shared.contracts.topics import CASE_EVENTS, COMPLAINT_EVENTS, NOTIFICATION_EVENTS, TRIAGE_EVENTS

_DEPARTMENT_PREFIX = "department-"
_MAX_DETAILS = 20
_EXPECTED_OUTCOMES = {
    "pending": (),
    "sent": ("notification_sent",),
    "delivered": ("notification_sent", "notification_delivered"),
    "failed": ("notification_failed",),
}
"""Status of a delivery → the events that notify has published about it."""


@dataclass
class Reconciliation:
    """The result of a comparison.

    `counts` gives how many items each table or topic holds. `lost` counts what one of them lacks, `duplicated` what one has twice,
    `disordered` events that come after a later event of their case, `unexpected` what has no cause. `repeated` counts records that the
    relay sent again after a crash; consumers drop them by their `ce_id`. `details` names the first faults.
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
        """Whether everything is there once and in order."""
        return not (self.lost or self.duplicated or self.disordered or self.unexpected)

    def compare(self, place: str, expected: Collection[Any], actual: Mapping[Any, int]) -> None:
        """Count what `actual` lacks, holds more than once, or holds without being expected."""
        self.counts[place] = sum(actual.values())
        expected_items = set(expected)
        missing = [item for item in expected if item not in actual]
        repeated = [item for item, number in actual.items() if number > 1]
        unexpected = [item for item in actual if item not in expected_items]
        self.lost += len(missing)
        self.duplicated += sum(actual[item] - 1 for item in repeated)
        self.unexpected += len(unexpected)
        for fault, items in (("missing", missing), ("more than once", repeated), ("unexpected", unexpected)):
            if items:
                self.details.append(f"{place}: {len(items)} {fault}, e.g. {', '.join(map(str, items[:3]))}")


@dataclass
class _TopicContents:
    """The contents of a topic, repetitions left out, as counts by event position, case, delivery outcome or kind of event."""

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
    left_out: Callable[[str], bool] = lambda _case: False,
) -> Reconciliation:
    """Read all tables and topics and compare them; call it after everything has been processed.

    `accepted` are the ids of the cases that intake has accepted, `actions` maps a case to how many of its actions sla has accepted; None
    leaves actions out. Pass `outcomes_read=False` where sla was stopped before notify, so that it has not read every outcome. Records and
    rows of a case that is `left_out` are not compared.
    """
    result = Reconciliation(len(set(accepted)))
    async with topic_reader(bootstrap_servers, topic_prefix) as reader:
        departments = [name.removeprefix(_DEPARTMENT_PREFIX) for name in await reader.topic_names() if name.startswith(_DEPARTMENT_PREFIX)]
        names = [COMPLAINT_EVENTS.name, TRIAGE_EVENTS.name, CASE_EVENTS.name, NOTIFICATION_EVENTS.name]
        names += [f"{_DEPARTMENT_PREFIX}{department}" for department in departments]
        topics = {name: await _read_topic(reader, name, left_out) for name in names}
    tables = await read_tables(database_url, departments, left_out)
    for contents in topics.values():
        _check_order(result, contents)
    _check_tables(result, tables, set(accepted))
    _check_topics(result, tables, set(accepted), topics)
    _check_inputs(result, tables, _inputs_by_cause(topics, actions), outcomes_read=outcomes_read)
    del result.details[_MAX_DETAILS:]
    return result


async def _read_topic(reader: TopicReader, name: str, left_out: Callable[[str], bool]) -> _TopicContents:
    contents = _TopicContents(name)
    ids: set[str] = set()
    last_sequence: dict[str, int] = {}
    async for record in reader.records(name):
        if record.case.startswith(DUTY_KEY_PREFIX) or left_out(record.case):  # the key of a procedure's own duty names no case
            continue
        if record.id in ids:  # the relay repeats ids where it was killed between sending and committing
            contents.repeated += 1
            continue
        ids.add(record.id)
        last = last_sequence.get(record.case, 0)
        if record.sequence and record.sequence <= last:
            contents.disordered.append(f"{record.case} event {record.sequence} after {last}")
        last_sequence[record.case] = max(record.sequence, last)
        _count_record(contents, record)
    return contents


def _count_record(contents: _TopicContents, record: ScannedRecord) -> None:
    contents.positions[(record.case, record.sequence)] += 1
    contents.cases[record.case] += 1
    if record.type == "registered":
        contents.registered[record.case] += 1
    elif record.type == "classified" and contents.name == TRIAGE_EVENTS.name and orjson.loads(record.body).get("registered"):
        contents.first_decisions[record.case] += 1
    elif contents.name == NOTIFICATION_EVENTS.name:
        contents.outcomes[(orjson.loads(record.body)["delivery"], record.type)] += 1


def _check_order(result: Reconciliation, contents: _TopicContents) -> None:
    result.repeated += contents.repeated
    result.disordered += len(contents.disordered)
    if contents.disordered:
        result.details.append(f"{contents.name}: {len(contents.disordered)} out of order, e.g. {contents.disordered[0]}")


def _check_tables(result: Reconciliation, tables: TableContents, accepted: set[str]) -> None:
    cases_by_table = {
        "intake.complaint": tables.intake_cases,
        "triage.known": tables.triage_cases,
        "sla.cases": tables.sla_heads.keys(),
        "sla.ledger": tables.ledgers.cases,
    }
    for table, cases in cases_by_table.items():
        result.compare(table, accepted, Counter(cases))
    requested = tables.ledgers.requested_deliveries
    result.compare("notify.delivery", requested.keys(), Counter(key for key, _ in tables.deliveries.values()))
    result.counts["notify.delivery, pending"] = sum(status == "pending" for _, status in tables.deliveries.values())
    if requested_twice := sum(number - 1 for number in requested.values()):
        result.duplicated += requested_twice
        result.details.append(f"{requested_twice} deliveries were requested twice")
    faults = [*tables.ledgers.faults, *([tables.number_fault] if tables.number_fault else [])]
    result.lost += len(faults)
    result.details += faults
    for service, number in tables.unsent_messages.items():
        if number:
            result.lost += number
            result.details.append(f"{service}.outbox: {number} not sent")


def _check_topics(result: Reconciliation, tables: TableContents, accepted: set[str], topics: Mapping[str, _TopicContents]) -> None:
    triage = topics[TRIAGE_EVENTS.name]
    result.compare(COMPLAINT_EVENTS.name, accepted, topics[COMPLAINT_EVENTS.name].registered)
    result.compare(f"{TRIAGE_EVENTS.name}, first decisions", accepted, triage.first_decisions)
    result.compare(TRIAGE_EVENTS.name, set(triage.positions), triage.positions)
    result.compare(CASE_EVENTS.name, tables.ledgers.events, topics[CASE_EVENTS.name].positions)
    for department, events in tables.ledgers.department_events.items():
        topic = f"{_DEPARTMENT_PREFIX}{department}"
        result.compare(topic, events, topics[topic].positions)
    outcomes = topics[NOTIFICATION_EVENTS.name].outcomes
    expected_outcomes = {
        (delivery, name) for delivery, (_, status) in tables.deliveries.items() for name in _expected_outcomes(delivery, status, outcomes)
    }
    result.compare(NOTIFICATION_EVENTS.name, expected_outcomes, outcomes)


def _expected_outcomes(delivery: str, status: str, outcomes: Mapping[tuple[str, str], int]) -> tuple[str, ...]:
    # A receipt may report that a sent message failed, so a failed delivery may have a `notification_sent` or not.
    if status == "failed" and (delivery, "notification_sent") in outcomes:
        return ("notification_sent", "notification_failed")
    return _EXPECTED_OUTCOMES[status]


def _inputs_by_cause(topics: Mapping[str, _TopicContents], actions: Mapping[str, int] | None) -> dict[str, Mapping[str, int]]:
    """Cause → case → how many inputs sla received; a first decision opens the case and counts as none."""
    triage = topics[TRIAGE_EVENTS.name]
    return {
        "triage": {case: number - triage.first_decisions[case] for case, number in triage.cases.items()},
        "message": topics[NOTIFICATION_EVENTS.name].cases,
        **({} if actions is None else {"action": actions}),
    }


def _check_inputs(result: Reconciliation, tables: TableContents, inputs: Mapping[str, Mapping[str, int]], *, outcomes_read: bool) -> None:
    """Check that every input of sla has left exactly one event of its cause in the case's ledger."""
    for cause, received in inputs.items():
        recorded = {case: by_cause[cause] for case, by_cause in tables.ledgers.inputs_by_cause.items()}
        cases = received.keys() | recorded.keys()
        missing = sum(max(0, received.get(case, 0) - recorded.get(case, 0)) for case in cases) if outcomes_read or cause != "message" else 0
        extra = sum(max(0, recorded.get(case, 0) - received.get(case, 0)) for case in cases)
        result.counts[f"sla.ledger, from {cause}"] = sum(recorded.values())
        result.lost += missing
        result.duplicated += extra
        if missing or extra:
            result.details.append(f"inputs from {cause}: {missing} without effect, {extra} effects too many")
