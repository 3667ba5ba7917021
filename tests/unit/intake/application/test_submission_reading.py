"""Reading submissions: the same result by HTTP and by Kafka."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from services.intake.application.registration_result import PendingRegistration, RegistrationResult
from services.intake.application.submission_reading import SubmissionReader
from services.intake.channels.json_document import parse_json
from shared.runtime.clock import Clock
from tests.unit.intake.conftest import NOW, MakeContext

READER = SubmissionReader(Clock(NOW, NOW), 2000)
GOOD = {"received_at": "2026-09-24T16:40:00+08:00", "text": "电梯停运"}


def pending(result: PendingRegistration | RegistrationResult) -> PendingRegistration:
    assert isinstance(result, PendingRegistration)
    return result


@pytest.mark.parametrize(
    ("document", "reason", "field", "rule"),
    [
        ({"received_at": GOOD["received_at"]}, "missing", "text", "missing"),
        (GOOD | {"text": "\u3000"}, "invalid", "text", "value_error"),
        ("text", "invalid", "body", "not_an_object"),
        (GOOD | {"source": "hotline"}, "source", "source", "not_yours"),
        (GOOD | {"channel": "email"}, "channel", "channel", "not_allowed"),
        (GOOD | {"received_at": "2098-01-01T00:00:00Z"}, "implausible", "received_at", "in_the_future"),
        (GOOD | {"text": "x" * 2000}, "too_large", "body", "too_large"),
        (GOOD | {"facts": {"nested": orjson.loads(b"[" * 300 + b"]" * 300)}}, "invalid", "body", "too_deep"),
    ],
)
def test_refusal_names_reason_and_field(source_context: MakeContext, document: Any, reason: str, field: str, rule: str) -> None:
    context = source_context(channels=["hotline", "web"])
    by_http = READER.read(document, context, traceparent=None, idempotency_key="key")
    by_kafka = READER.read(document, context, traceparent=None, record_id="id", accepted_at=NOW)
    for result in (by_http, by_kafka):
        assert isinstance(result, RegistrationResult)
        assert (result.status, result.reason) == ("refused", reason)
        assert [(fault.field, fault.rule) for fault in result.faults] == [(field, rule)]


def test_external_id_gives_the_same_case_by_http_and_kafka(source_context: MakeContext) -> None:
    document = GOOD | {"external_id": "A-1"}
    by_http = pending(READER.read(document, source_context(), traceparent=None, idempotency_key="key"))
    by_kafka = pending(READER.read(document, source_context(), traceparent=None, record_id="id"))
    assert by_http == by_kafka
    assert not by_http.fingerprint_must_match


def test_idempotency_key_or_record_id_identifies_a_submission_without_external_id(source_context: MakeContext) -> None:
    def case(idempotency_key: str | None = None, record_id: str | None = None) -> str:
        result = READER.read(GOOD, source_context(), traceparent=None, idempotency_key=idempotency_key, record_id=record_id)
        return pending(result).case

    assert case(idempotency_key="1") == case(idempotency_key="1")
    assert case(record_id="1") == case(record_id="1")
    assert len({case(idempotency_key="1"), case(idempotency_key="2"), case(record_id="1"), case(), case()}) == 5
    assert pending(READER.read(GOOD, source_context(), traceparent=None, idempotency_key="1")).fingerprint_must_match


def test_fingerprint_ignores_order_of_fields_and_whitespace(source_context: MakeContext) -> None:
    def fingerprint(body: bytes) -> bytes:
        return pending(READER.read(parse_json(body), source_context(), traceparent=None)).fingerprint

    text, received_at = orjson.dumps(GOOD["text"]), orjson.dumps(GOOD["received_at"])
    one = b'{"text": ' + text + b', "received_at": ' + received_at + b"}"
    other = b'{"received_at":' + received_at + b',"text":' + text + b"}"
    assert fingerprint(one) == fingerprint(other) != fingerprint(other.replace(text, b'"x"'))


def test_unreadable_channel_becomes_the_first_of_the_source(source_context: MakeContext) -> None:
    result = pending(READER.read(GOOD | {"channel": "telepathy"}, source_context(channels=["web", "email"]), traceparent=None))
    assert (result.submission.channel, result.unreadable) == ("web", ("channel",))


def test_record_is_judged_by_its_timestamp(source_context: MakeContext) -> None:
    document = GOOD | {"received_at": (NOW + timedelta(minutes=4)).isoformat(), "happened_at": (NOW + timedelta(minutes=6)).isoformat()}
    result = pending(READER.read(document, source_context(), traceparent=None, accepted_at=NOW))
    assert (result.submission.happened_at, result.unreadable) == (None, ("happened_at",))
    replayed_early = READER.read(document, source_context(), traceparent=None, accepted_at=NOW - timedelta(minutes=2))
    assert (replayed_early.status if isinstance(replayed_early, RegistrationResult) else "") == "refused"
