"""JSON bodies and the submissions or faults that they give."""

from typing import Any

import orjson
import pytest

from services.intake.channels.json_document import MalformedJsonError, parse_json, read

GOOD = {"received_at": "2026-09-24T16:40:00+08:00", "text": "电梯停运"}


def test_submission_is_read_with_defaults() -> None:
    submission = read(parse_json(orjson.dumps(GOOD))).submission
    assert submission is not None
    assert (submission.text, submission.channel, submission.kind) == ("电梯停运", "hotline", None)
    assert submission.received_at.isoformat() == GOOD["received_at"]


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"text": ""}, "text", "string_too_short"),
        ({"text": "\u3000 "}, "text", "value_error"),
        ({"text": "x" * 20_001}, "text", "string_too_long"),
        ({"received_at": "yesterday"}, "received_at", "datetime_from_date_parsing"),
        ({"received_at": "2026-09-24T16:40:00"}, "received_at", "timezone_aware"),
        ({"txet": "x"}, "txet", "extra_forbidden"),
        ({"channel": "smoke"}, "channel", "literal_error"),
        ({"complainant": {"kind": "alien"}}, "complainant.kind", "literal_error"),
        ({"complainant": 5}, "complainant", "model_type"),
        ({"facts": {"a": {"b": 1}}}, "facts.a", "fact_type"),
        ({"facts": []}, "facts", "fact_type"),
        ({"attachments": ["x"] * 101}, "attachments", "too_long"),
    ],
)
def test_faults_name_field_rule_and_remedy_without_the_value(change: dict[str, Any], field: str, rule: str) -> None:
    [fault, *_] = read(GOOD | change).faults
    assert (fault.field, fault.rule) == (field, rule)
    assert fault.remedy
    assert "smoke" not in fault.remedy
    assert "yesterday" not in fault.remedy


@pytest.mark.parametrize("value", [None, 1, "text", [], True])
def test_value_that_is_not_an_object_is_a_fault(value: Any) -> None:
    assert read(value).faults[0].rule == "not_an_object"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"a": NaN}', b'{"a": "\\ud800", "b": NaN}', b"[" * 3000, b'"\\ud800' + b"[" * 9000])
def test_body_that_is_not_json_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedJsonError, match="JSON"):
        parse_json(body)


def test_escaped_surrogate_pairs_are_kept() -> None:
    assert parse_json(b'{"a": "\\ud83d\\ude00 \\u0000"}') == {"a": "\U0001f600 \ufffd"}
