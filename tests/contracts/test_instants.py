"""Instants and dates from outside."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.contracts.actions import ActionData
from shared.contracts.base import InputInstant
from shared.contracts.instants import read_date, read_instant

INSTANT = TypeAdapter[datetime](InputInstant)
IMPOSSIBLE = [
    *(20261109, 1794187200, 1794187200.0, True, None, "20261109", "1794187200", "2026-11-09", "2026-W46-1T09:00:00Z"),
    *("2026-11-09T09:00:00", "2026-11-09T24:00:00Z", "2026-11-09T23:59:60Z", "٢٠٢٦-11-09T09:00:00Z"),
    *("0001-01-01T00:00:00+08:00", "1999-12-31T23:59:59Z", "2100-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"),
]
POSSIBLE = ["2000-01-01T00:00:00Z", "2099-12-31T23:59:59.999999Z", "2026-11-09 09:00+0800", datetime(2026, 1, 1, tzinfo=UTC)]


@pytest.mark.parametrize("value", IMPOSSIBLE)
def test_instants_are_iso_texts_with_offset_from_2000_to_2099(value: Any) -> None:
    assert read_instant(value) is None
    with pytest.raises(ValidationError):
        INSTANT.validate_python(value)


@pytest.mark.parametrize("value", POSSIBLE)
def test_possible_instants_are_read(value: Any) -> None:
    assert read_instant(value) == INSTANT.validate_python(value)


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2026-01-01", date(2026, 1, 1)),
        (date(1900, 1, 1), date(1900, 1, 1)),
        ("2026-01-01T23:30:00+08:00", date(2026, 1, 1)),
        (datetime(2026, 1, 1, tzinfo=UTC), date(2026, 1, 1)),
        ("1899-12-31", None),
        ("2100-01-01", None),
        ("2026-02-30", None),
        ("20260101", None),
        (20260101, None),
        ("2026-01-01T23:30:00", None),
    ],
)
def test_dates_stand_alone_from_1900_and_an_instant_counts_as_its_day(value: Any, day: date | None) -> None:
    assert read_date(value) == day


@pytest.mark.parametrize("field", ["until", "date", "next_date"])
@pytest.mark.parametrize("value", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "20261109", 20261109, "2026-11-09"])
def test_action_with_an_impossible_instant_is_refused_with_field_and_rule(field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        ActionData.model_validate({field: value})
    [error] = caught.value.errors()
    assert error["loc"] == (field,)
    assert error["msg"].startswith("send an instant")
    assert str(value) not in error["msg"]


def test_amended_instants_have_the_same_bound() -> None:
    assert ActionData.model_validate({"fields": {"happened_at": None, "title": "x"}}).fields == {"happened_at": None, "title": "x"}
    for name in ("received_at", "registered_at", "happened_at"):
        with pytest.raises(ValidationError, match="2000-01-01"):
            ActionData.model_validate({"fields": {name: "9999-01-01T00:00:00Z"}})
