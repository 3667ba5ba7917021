"""Hostile records for the topics that services read, generated from a seed: valid records with one or two things wrong."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from shared.contracts.envelope import CE_ID, CE_TIME, CE_TYPE, CloudEventRecord
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.notifications import NotificationRequested, NotificationSent
from shared.contracts.events.triage import Classified, Reclassified, Routed
from shared.contracts.events.up_to_approval import Amended
from shared.contracts.topics import (
    CASE_ACTIONS,
    CASE_EVENTS,
    COMPLAINT_EVENTS,
    COMPLAINT_SUBMISSIONS,
    NOTIFICATION_EVENTS,
    TRIAGE_EVENTS,
    Topic,
)
from tests.support.messaging.cloud_events import Headers, case_event, cloud_event, signature_headers
from tests.support.messaging.sample_organisation import registered_event, sample_complaint

READ_TOPICS = (COMPLAINT_EVENTS, CASE_EVENTS, TRIAGE_EVENTS, CASE_ACTIONS, NOTIFICATION_EVENTS)
"""What triage, sla and notify read."""
HOSTILE_CASES = 400
HOSTILE_PREFIX = "hostile-"
"""With it begin the ids of the senders' own cases."""
_TEXTS = ("\x00", "a\x00b", "𠮷田㼆", "\u202e", "'; DROP TABLE known; --", "{{7*7}}", "x" * 600, "", " ", "9" * 400)
_INSTANTS = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1999-12-31T23:59:59Z", "2100-01-01T00:00:00Z", "20261109", 0, 1e300, "x")
_NUMBERS = (2**63, -(2**63) - 1, 10**30, 1e308, -0.0, 0, 2**31)


@dataclass(frozen=True)
class RawMessage:
    """A record as a producer sends it."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


@dataclass(frozen=True)
class SigningKey:
    """A key of the organisation: its id and the raw private key."""

    id: str
    private: bytes


def hostile_records(
    topic: Topic,
    count: int,
    seed: int,
    key: SigningKey,
    procedure: str,
    honest: tuple[str, ...] = (),
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    source: str = "hotline",
) -> Iterator[RawMessage]:
    """That many records. Their cases are those of the sender, but for actions: whoever writes these may name an honest case.

    Submissions come from `source`.
    """
    chance = random.Random(f"{seed} {topic.name}")
    for _ in range(count):
        case = f"{HOSTILE_PREFIX}{chance.randrange(HOSTILE_CASES)}"
        at = now() - timedelta(minutes=1)
        record = _submission(case, source, at) if topic is COMPLAINT_SUBMISSIONS else _valid_record(topic, case, procedure, chance, at)
        record = replace(record, body=_broken_body(record.body, chance))
        headers: list[tuple[str, bytes | None]] = [*record.kafka_headers()]
        if topic is CASE_ACTIONS:
            victim = chance.random() < 0.2 and bool(honest)
            record = replace(record, key=chance.choice(honest)) if victim else record
            headers += _signature(record, key, chance, valid=not victim and chance.random() < 0.6)
        yield _broken_envelope(RawMessage(topic.name, record.key.encode(), record.body, headers), chance)


def _submission(reference: str, source: str, at: datetime) -> CloudEventRecord:
    body = {"external_id": reference, "received_at": at.isoformat(), "channel": "hotline", "text": "x", "complainant": {"name": "x"}}
    return cloud_event(COMPLAINT_SUBMISSIONS, reference, "submission", body, source)


def _valid_record(topic: Topic, case: str, procedure: str, chance: random.Random, at: datetime) -> CloudEventRecord:
    if topic is CASE_ACTIONS:
        action = chance.choice(("answer", "amend", "contact", "close", "extend", "request_extension", "agree_date", "link", "route"))
        data = {"text": "x", "facts": {"persons": 3}, "date": "2026-12-01T09:00:00Z", "case": case, "department": "repairs", "clock": "x"}
        return cloud_event(topic, case, "action", {"case": case, "action": action, "role": "assistant", "data": data})
    complaint = sample_complaint(case, at, source="hotline", facts={"persons": 2, "note": "x"}, object="lift", against=["a", "b"])
    registered = registered_event(complaint, procedure, 1).model_copy(update={"complainant_keys": ["email:1", f"phone:{case}"]})
    common: dict[str, Any] = {"case": case, "at": at}
    by_topic: dict[str, tuple[CaseEvent, ...]] = {
        COMPLAINT_EVENTS.name: (registered,),
        CASE_EVENTS.name: (
            Amended(**common, role="assistant", facts={"persons": 5}, fields={"object": "x"}),
            Reclassified(**common, role="assistant", class_="valid", subject="x"),
            NotificationRequested(**common, recipients=["supervisor"], persons=["li"], by=["email"], about="reminded", clause="3.6"),
        ),
        TRIAGE_EVENTS.name: (
            Classified(**common, procedure=procedure, version=1, class_="valid", kind="complaint", registered=registered),
            Routed(**common, department="repairs", by="triage"),
            Amended(**common, by="triage", facts={"persons": 5}),
        ),
        NOTIFICATION_EVENTS.name: (_notification_outcome(case, at),),
    }
    return case_event(topic, chance.choice(by_topic[topic.name]))


def _notification_outcome(case: str, at: datetime) -> CaseEvent:
    return NotificationSent(case=case, at=at, notification=f"{case}-1")


def _broken_body(body: bytes, chance: random.Random) -> bytes:
    breaks: tuple[Callable[[bytes, random.Random], bytes], ...] = (_truncated, _with_bad_bytes, _with_duplicate_key, _with_surrogate)
    if chance.random() < 0.35:
        return chance.choice(breaks)(body, chance)
    document = orjson.loads(body)
    for _ in range(chance.randint(1, 2)):
        _break_value(document, chance)
    return _to_json(document)


def _truncated(body: bytes, chance: random.Random) -> bytes:
    return body[: chance.randrange(len(body))]


def _with_bad_bytes(body: bytes, chance: random.Random) -> bytes:
    position = chance.randrange(len(body))
    return body[:position] + chance.choice((b"\xff\xfe", b"\x00", b"\xed\xa0\x80", b"NaN", b"Infinity", b"[" * 400)) + body[position:]


def _with_duplicate_key(body: bytes, chance: random.Random) -> bytes:
    return body[:-1] + chance.choice((b',"case":"other"}', b',"at":"2026-01-01T00:00:00Z"}', b',"facts":{"a":1,"a":2}}'))


def _with_surrogate(body: bytes, _: random.Random) -> bytes:
    return body.replace(b'"x"', b'"\\ud800x"').replace(b'"hotline"', b'"\\udc00"')


def _break_value(document: dict[str, Any], chance: random.Random) -> None:
    """Replace one value somewhere in the document."""
    node = document
    while (inner := [child for child in node.values() if isinstance(child, dict) and child]) and chance.random() < 0.7:
        node = chance.choice(inner)
    name = chance.choice([*node, "facts", "fields", "text", "unknown"])
    depth = chance.choice((10, 40, 190, 199, 250))
    node[name] = chance.choice(
        (
            lambda: _nested(depth),
            lambda: {"deep": _nested(depth)},
            lambda: chance.choice(_NUMBERS),
            lambda: chance.choice(_TEXTS),
            lambda: chance.choice(_INSTANTS),
            lambda: None,
            list,
            lambda: {"a": {"b": []}},
            lambda: chance.random() < 0.5,
            lambda: "长" * chance.choice((1, 501, 20_001)),
            lambda: [chance.choice(_TEXTS)] * chance.choice((1, 60, 300)),
        )
    )()


def _nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


def _to_json(document: Any) -> bytes:
    """JSON also of numbers that orjson refuses; it nests deeper than any reader allows, so that no recursion writes it."""
    parts, pending = [], [document]
    while pending:
        item = pending.pop()
        if isinstance(item, bytes):
            parts.append(item)
        elif isinstance(item, dict):
            pending.append(b"}")
            for index, (name, value) in reversed([*enumerate(item.items())]):
                pending += [value, (b"," if index else b"") + orjson.dumps(name) + b":"]
            pending.append(b"{")
        elif isinstance(item, list):
            pending.append(b"]")
            for index, value in reversed([*enumerate(item)]):
                pending += [value, b"," if index else b""]
            pending.append(b"[")
        else:
            parts.append(str(item).encode() if isinstance(item, int) and not isinstance(item, bool) else orjson.dumps(item))
    return b"".join(parts)


def _signature(record: CloudEventRecord, key: SigningKey, chance: random.Random, *, valid: bool) -> Headers:
    """A valid signature (the action itself is hostile), or that of another body, of an unknown key, or none."""
    if valid:
        return signature_headers(key.private, key.id, record)
    other = replace(record, body=record.body + b" ")
    of_someone_else = signature_headers(key.private, "someone-else", record)
    return chance.choice(
        (
            signature_headers(key.private, key.id, other),
            of_someone_else,
            [],
            [("jiesu-signature", b"\xff")],
        )
    )


def _broken_envelope(message: RawMessage, chance: random.Random) -> RawMessage:
    roll = chance.random()
    if roll < 0.75:
        return message
    headers = dict(message.headers)
    breaks: tuple[Callable[[], RawMessage], ...] = (
        lambda: replace(message, key=None),
        lambda: replace(message, key=b"\xff\x00"),
        lambda: replace(message, key=b"k" * 500),
        lambda: replace(message, value=None),
        lambda: replace(message, value=b""),
        lambda: replace(message, headers=[]),
        lambda: replace(message, headers=[*message.headers, ("traceparent", b"0" * 50_000)]),
        lambda: replace(message, headers=[*message.headers, *[(f"h{number}", b"x") for number in range(200)]]),
        lambda: replace(message, headers=[*(headers | {CE_ID: b"no-uuid"}).items()]),
        lambda: replace(message, headers=[*(headers | {CE_TIME: b"yesterday"}).items()]),
        lambda: replace(message, headers=[*(headers | {CE_TIME: b"9999-12-31T23:59:59+00:00"}).items()]),
        lambda: replace(message, headers=[*(headers | {CE_TYPE: b"\xff"}).items()]),
        lambda: replace(message, headers=[*(headers | {CE_TYPE: b"registered"}).items()]),
        lambda: replace(message, headers=[*(headers | {"ce_sequence": b"9" * 400}).items()]),
    )
    return chance.choice(breaks)()
