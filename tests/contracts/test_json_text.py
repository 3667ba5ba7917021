"""JSON from outside: what is refused before anything reads it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.contracts import decode_body
from shared.contracts.actions import ActionData
from shared.contracts.json_text import MAX_DEPTH, MAX_OBJECT_CHARACTERS, JsonTextError, parse_json_text


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"b": {"a": 1, "a": 1}}', "twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e999}', "double"),
        (b'{"a": 9223372036854775808}', "64 bits"),
        (b'{"a": -9223372036854775809}', "64 bits"),
        (b'{"a": ' + b"9" * 5000 + b"}", "64 bits"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "32 levels"),
        (b"[" * 100_000, "nested"),
        (b'{"a": ', "line 1, column"),
        (b'"\xff"', "UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "UTF-8"),
        (b"", "line 1"),
    ],
)
def test_unacceptable_json_is_refused_with_its_rule(body: bytes, rule: str) -> None:
    with pytest.raises(JsonTextError, match=rule):
        parse_json_text(body)


def test_acceptable_json_is_read() -> None:
    numbers = b'\xef\xbb\xbf{"a": [9223372036854775807, -9223372036854775808, 1.5, null]}'
    assert parse_json_text(numbers) == {"a": [2**63 - 1, -(2**63), 1.5, None]}
    assert parse_json_text(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_by_name(body: bytes) -> None:
    try:
        parse_json_text(body)
    except JsonTextError as error:
        assert str(error)  # noqa: PT017 - either outcome is right


@pytest.mark.parametrize("name", ["facts", "fields", "figures"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**63, "x" * MAX_OBJECT_CHARACTERS, [0] * MAX_OBJECT_CHARACTERS])
def test_objects_of_actions_are_bounded(name: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        ActionData.model_validate({name: {"a": value}})
    assert ActionData.model_validate({name: {"a": "x"}})


def test_facts_of_an_action_are_at_most_32_levels_deep() -> None:
    value: Any = 1
    for _ in range(200):
        value = {"a": value}
    with pytest.raises(ValidationError, match="32 levels"):
        ActionData.model_validate({"facts": value})


@pytest.mark.parametrize("data", [b'{"text": "a", "text": "b"}', b'{"facts": {"a": NaN}}', b'{"facts": {"a": 1e999}}'])
def test_action_is_parsed_strictly(data: bytes) -> None:
    with pytest.raises(JsonTextError):
        decode_body("action", b'{"case": "c", "action": "amend", "data": ' + data + b"}")


@pytest.mark.parametrize("name", ["case", "department", "person", "role", "to", "clock", "class", "subject", "by"])
@pytest.mark.parametrize("text", ["a\x00", "\n", "\x7f"])
def test_ids_of_actions_have_no_control_characters(name: str, text: str) -> None:
    with pytest.raises(ValidationError, match="control_character"):
        ActionData.model_validate({name: text})


@pytest.mark.parametrize("body", [b"[" + b"[]," * 100_000 + b"[]]", b"[" + b"{}," * 100_000 + b"{}]", b"[" + b"1," * 500_001 + b"1]"])
def test_bodies_of_too_many_values_are_refused_before_they_are_parsed(body: bytes) -> None:
    with pytest.raises(JsonTextError, match="send fewer at once"):
        parse_json_text(body)
