"""Log lines hold ids and no personal data."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog

from shared.runtime.process.logging import configure, redact
from shared.runtime.tracing.context import Activity, working_on


@contextmanager
def logged() -> Iterator[list[dict[str, Any]]]:
    """The parsed lines that the block logged; complete after its end."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    lines: list[dict[str, Any]] = []
    configure("INFO", "sla", stream)
    try:
        yield lines
    finally:
        root.handlers[:], root.level = before
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
    lines.extend(json.loads(line) for line in stream.getvalue().splitlines())


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("call 13800000000 now", "call [phone] now"),
        ("+86 138 0000 0000", "[phone]"),
        ("0571-87654321", "[phone]"),
        ("wang.wu@example.com wrote", "[e-mail] wrote"),
        ("id 11010119900307123X.", "id [identity]."),
        ("case 018f2b7e-1380-7000-8000-138000000001", "case 018f2b7e-1380-7000-8000-138000000001"),
        ("offset 13800000", "offset 13800000"),
    ],
)
def test_numbers_and_addresses_are_redacted_but_ids_are_not(text: str, redacted: str) -> None:
    assert redact(text) == redacted


def test_fields_of_personal_data_are_redacted_at_any_depth() -> None:
    assert redact({"a": [{"Phone": "x", "n": 1}], "text": "y", "b": (b"secret",)}) == {
        "a": [{"Phone": "[redacted]", "n": 1}],
        "text": "[redacted]",
        "b": ["[6 bytes]"],
    }


def test_lines_are_json_with_case_event_and_trace() -> None:
    with logged() as lines, working_on(Activity(f"00-{32 * 'a'}-{16 * 'b'}-00", "c-1", "e-1")):
        structlog.get_logger("x").info("something", amount=3)
        structlog.get_logger("x").info("something", case="c-2")
        logging.getLogger("aiokafka").warning("of a library")
    assert [(line["case"], line["event_id"], line["trace"], line["service"]) for line in lines] == [
        ("c-1", "e-1", 32 * "a", "sla"),
        ("c-2", "e-1", 32 * "a", "sla"),
        ("c-1", "e-1", 32 * "a", "sla"),
    ]
    assert (lines[0]["event"], lines[0]["amount"]) == ("something", 3)


def test_traceback_holds_no_values_of_locals_and_no_numbers() -> None:
    def fail(phone: str) -> None:
        hidden = f"locals {phone}"
        raise ValueError(f"bad {phone}") from RuntimeError(hidden[:6])

    with logged() as lines:
        try:
            fail("13800000000")
        except ValueError:
            structlog.get_logger("x").exception("failed")
    [line] = lines
    assert "ValueError: bad [phone]" in line["exception"]
    assert "13800000000" not in json.dumps(line)


def test_libraries_log_through_the_same_renderer_at_a_limited_rate() -> None:
    with logged() as lines:
        for n in range(1000):
            logging.getLogger("aiokafka.client").error("Unable to update metadata from %s for 13800000000", [n])
    assert len(lines) == 20
    assert lines[0]["event"] == "Unable to update metadata from [0] for [phone]"
