"""Instants as people write them: read, or refused with the rule; the remedy never repeats the value."""

from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.channels.written_dates import DateRules, UnreadableDateError, read_epoch, read_written_instant

CHINA = DateRules(ZoneInfo("Asia/Shanghai"))
ON_9_NOVEMBER = [
    "2026/11/9 9:05",
    "2026年11月9日9时5分",
    "2026-11-09 09:05:00",
    "202611090905",
    "20261109 0905",
    "2026.11.9 9点5分",
    "2026年11月9日 星期一 9:05",
    "２０２６／１１／９　９：０５",
    "2026-11-09T01:05:00Z",
    "2026-11-09T09:05:00+08:00",
    "2026年11月9日 上午9:05",
    "2026-11-9 9:05 AM",
]


@pytest.mark.parametrize("text", ON_9_NOVEMBER)
def test_forms_of_one_instant_are_read_alike(text: str) -> None:
    assert read_written_instant(text, CHINA) == datetime(2026, 11, 9, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("20261109", "2026-11-09T00:00:00+08:00"),
        ("46335.375", "2026-11-09T09:00:00+08:00"),
        (46335.375, "2026-11-09T09:00:00+08:00"),
        (46335.37847222222, "2026-11-09T09:05:00+08:00"),
        (46335, "2026-11-09T00:00:00+08:00"),
        ("2026-11-09 24:00", "2026-11-10T00:00:00+08:00"),
        ("2026-12-31T24:00:00+08:00", "2027-01-01T00:00:00+08:00"),
        ("2026年11月9日 9时", "2026-11-09T09:00:00+08:00"),
        ("2026年11月9日下午3点半", "2026-11-09T15:30:00+08:00"),
        ("2026年11月9日 晚上8点", "2026-11-09T20:00:00+08:00"),
        ("2026年11月9日 中午12点", "2026-11-09T12:00:00+08:00"),
        ("2026年11月9日 凌晨12:10", "2026-11-09T00:10:00+08:00"),
        (datetime(2026, 11, 9, 9, 5), "2026-11-09T09:05:00+08:00"),  # noqa: DTZ001 - a cell has no zone
        (date(2026, 11, 9), "2026-11-09T00:00:00+08:00"),
    ],
)
def test_other_forms(value: Any, expected: str) -> None:
    assert read_written_instant(value, CHINA).isoformat() == expected


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("9/11/2026 9:05", "date_ambiguous"),
        ("25/11/2026", "date_ambiguous"),
        ("2026-02-29", "date_impossible"),
        ("2026-13-01", "date_impossible"),
        ("2026-11-09 25:00", "time_impossible"),
        ("2026-11-09 24:01", "time_impossible"),
        ("2026-11-09 9", "time_unreadable"),
        ("2026年11月9日 晚上12点", "time_unreadable"),
        ("2026-11-09 13:00 AM", "time_unreadable"),
        ("26/11/9", "date_unreadable"),
        ("1.38E+10", "date_unreadable"),
        ("明天", "date_unreadable"),
        ("", "date_unreadable"),
        (12345, "date_unreadable"),
        (True, "date_unreadable"),
        ("1999-12-31", "date_out_of_range"),
        (time(9, 5), "date_unreadable"),
        (float("nan"), "date_unreadable"),
    ],
)
def test_what_cannot_be_read_or_be_read_in_two_ways_is_refused(value: Any, rule: str) -> None:
    with pytest.raises(UnreadableDateError) as caught:
        read_written_instant(value, CHINA)
    assert caught.value.rule == rule
    assert not str(value) or str(value) not in caught.value.remedy


def test_order_that_the_source_states_is_used() -> None:
    day_first, month_first = (DateRules(CHINA.zone, order, time(8, 30)) for order in ("dmy", "mdy"))
    assert read_written_instant("11-09-2026", day_first).isoformat() == "2026-09-11T08:30:00+08:00"
    assert read_written_instant("11-09-2026 9:05", month_first).isoformat() == "2026-11-09T09:05:00+08:00"
    with pytest.raises(UnreadableDateError):
        read_written_instant("25-11-2026", month_first)


def test_seconds_and_milliseconds_since_1970() -> None:
    assert read_epoch("1794186300", milliseconds=False) == read_epoch(1794186300000, milliseconds=True)
    for value in ("x", None, 10**20, float("inf"), [1]):
        with pytest.raises(UnreadableDateError):
            read_epoch(value, milliseconds=False)


@given(st.one_of(st.text(max_size=40), st.from_regex(r"[0-9/年月日:.\- TZ+上下午]{0,30}", fullmatch=True), st.floats(), st.integers()))
def test_any_value_is_read_or_refused(value: Any) -> None:
    try:
        instant = read_written_instant(value, CHINA)
    except UnreadableDateError:
        return
    assert instant.tzinfo is not None
    assert 1999 < instant.astimezone(UTC).year < 2100
