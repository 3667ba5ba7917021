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
        ({"text": ""}, "text", "missing"),
        ({"text": None}, "text", "missing"),
        ({"text": 5}, "text", "string_type"),
        ({"text": "\u3000 "}, "text", "value_error"),
        ({"text": "x" * 20_001}, "text", "string_too_long"),
        ({"received_at": None}, "received_at", "missing"),
        ({"received_at": "yesterday"}, "received_at", "datetime_parsing"),
        ({"received_at": "20261109"}, "received_at", "datetime_parsing"),
        ({"received_at": "2026-11-09"}, "received_at", "datetime_parsing"),
        ({"received_at": 20261109}, "received_at", "datetime_type"),
        ({"received_at": 1794187200.5}, "received_at", "datetime_type"),
        ({"received_at": True}, "received_at", "datetime_type"),
        ({"received_at": "2026-09-24T24:00:00+08:00"}, "received_at", "datetime_from_date_parsing"),
        ({"received_at": "2026-09-24T16:40:00"}, "received_at", "timezone_aware"),
        ({"received_at": "1999-12-31T23:59:59Z"}, "received_at", "instant_out_of_range"),
        ({"received_at": "2100-01-01T00:00:00Z"}, "received_at", "instant_out_of_range"),
        ({"received_at": "9999-12-31T23:59:59-12:00"}, "received_at", "instant_out_of_range"),
    ],
)
def test_only_a_missing_or_unreadable_text_or_received_at_refuses(change: dict[str, Any], field: str, rule: str) -> None:
    [fault, *_] = read(GOOD | change).faults
    assert (fault.field, fault.rule) == (field, rule)
    assert fault.remedy
    assert not any(value and str(value) in fault.remedy for value in change.values())


@pytest.mark.parametrize(
    ("change", "unreadable"),
    [
        ({"txet": "x"}, ["txet"]),
        ({"channel": "smoke", "kind": "noise"}, ["channel", "kind"]),
        ({"complainant": {"kind": "alien", "fone": "1"}}, ["complainant.kind", "complainant.fone"]),
        ({"complainant": 5}, ["complainant"]),
        ({"facts": {"a": {"b": 1}, "c": True}}, ["facts.a"]),
        ({"facts": {"b": float("nan"), "": 1}}, ["facts.b", "facts."]),
        ({"facts": []}, ["facts"]),
        ({"against": ["张三", 5]}, ["against"]),
        ({"attachments": ["x"] * 101}, ["attachments"]),
        ({"happened_at": "20261109", "registered_at": "9999-01-01T00:00:00Z"}, ["registered_at", "happened_at"]),
        ({"external_id": 17}, ["external_id"]),
        ({"external_id": "x" * 201}, ["external_id"]),
    ],
)
def test_optional_fields_that_cannot_be_read_are_kept_out_and_reported(change: dict[str, Any], unreadable: list[str]) -> None:
    result = read(GOOD | change)
    assert result.submission is not None
    assert (result.faults, list(result.unreadable)) == ((), unreadable)
    readable = {"against": ["张三"]} if "against" in change else {"attachments": ["x"] * 100} if "attachments" in change else {}
    facts = {"facts": {"c": True}} if unreadable == ["facts.a"] else {}
    assert result.submission == read(GOOD | readable | facts).submission


def test_optional_texts_that_are_too_long_are_cut_with_a_mark() -> None:
    result = read(GOOD | {"title": "x" * 501, "facts": {"note": "y" * 20_001}, "against": ["z" * 501], "complainant": {"name": "王" * 501}})
    assert result.submission is not None
    assert set(result.unreadable) == {"title", "facts.note", "against", "complainant.name"}
    submission = result.submission
    texts = [submission.title or "", submission.facts["note"], submission.against[0], submission.complainant.name or ""]
    assert [len(str(text)) for text in texts] == [500, 20_000, 500, 500]
    assert all(str(text).endswith("…") for text in texts)


def test_null_and_an_empty_text_mean_absent() -> None:
    absent = {"title": "", "channel": None, "complainant": None, "kind": "", "facts": {"a": None, "b": ""}}
    result = read(GOOD | absent)
    assert (result.submission, result.unreadable) == (read(GOOD | {"facts": {}}).submission, ())


@pytest.mark.parametrize("value", [None, 1, "text", [], True])
def test_value_that_is_not_an_object_is_a_fault(value: Any) -> None:
    assert read(value).faults[0].rule == "not_an_object"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"a": NaN}', b'{"a": "\\ud800", "b": NaN}', b"[" * 3000, b'"\\ud800' + b"[" * 9000])
def test_body_that_is_not_json_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedJsonError, match="JSON"):
        parse_json(body)


def test_escaped_surrogate_pairs_are_kept() -> None:
    assert parse_json(b'{"a": "\\ud83d\\ude00 \\u0000"}') == {"a": "\U0001f600 \ufffd"}


def test_body_may_begin_with_a_byte_order_mark() -> None:
    assert parse_json(b'\xef\xbb\xbf{"text": "x"}') == {"text": "x"}
