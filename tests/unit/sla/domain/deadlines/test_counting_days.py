"""counting.py in whole days: exclusive and inclusive, rolling, day ends, months, holidays and make-up days, provisional deadlines."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.deadlines.shorthand import due, is_provisional


@pytest.mark.parametrize(
    ("start", "duration", "expected"),
    [
        ("2026-09-24 16:40", "1wd", "2026-09-28 18:00"),  # Mid-autumn on Friday
        ("2026-09-24 16:40", "3wd", "2026-09-30 18:00"),
        ("2026-09-30 18:00", "1wd", "2026-10-08 18:00"),  # National Day
        ("2026-09-30 10:00", "3wd", "2026-10-10 18:00"),  # the Saturday is a make-up day
        ("2026-09-18 10:00", "1wd", "2026-09-20 18:00"),  # a make-up Sunday
        ("2026-02-13 10:00", "1wd", "2026-02-14 18:00"),
        ("2026-02-14 10:00", "1wd", "2026-02-24 18:00"),  # Spring Festival 2026
        ("2026-02-26 10:00", "2wd", "2026-02-28 18:00"),
        ("2025-01-27 10:00", "1wd", "2025-02-05 18:00"),  # Spring Festival 2025
        ("2025-01-24 10:00", "1wd", "2025-01-26 18:00"),
        ("2024-02-09 10:00", "1wd", "2024-02-18 18:00"),  # Spring Festival 2024
        ("2024-09-13 10:00", "1wd", "2024-09-14 18:00"),
        ("2026-09-26 10:00", "1wd", "2026-09-28 18:00"),  # from a day off
        ("2026-09-24 16:40", "15d", "2026-10-10 00:00"),
        ("2026-09-24 16:40", "3d", "2026-09-29 00:00"),  # Sunday rolls to Monday
        ("2026-09-24 00:00", "1d", "2026-09-29 00:00"),
        ("2026-09-23 23:59:59.999999", "1d", "2026-09-25 00:00"),
        ("2026-09-24 00:00", "1w", "2026-10-09 00:00"),
        ("2026-10-03 09:00", "1w", "2026-10-11 00:00"),  # a make-up Saturday does not roll
        ("2026-01-31 09:00", "1mo", "2026-03-01 00:00"),  # the last day of February, a make-up Saturday
        ("2024-01-31 09:00", "1mo", "2024-03-01 00:00"),  # leap year
        ("2026-03-10 09:00", "1q", "2026-06-11 00:00"),
        ("2024-02-29 09:00", "1y", "2025-03-01 00:00"),
    ],
)
def test_exclusive_count_starts_on_the_next_day(start: str, duration: str, expected: str) -> None:
    assert due(start, duration) == expected


@pytest.mark.parametrize(
    ("start", "duration", "expected"),
    [
        ("2026-09-21 17:59:59.999999", "5wd", "2026-09-28 18:00"),
        ("2026-09-21 18:00", "5wd", "2026-09-29 18:00"),  # a start at the close counts from the next day
        ("2026-09-26 10:00", "1wd", "2026-09-28 18:00"),
        ("2026-09-21 10:00", "1wd", "2026-09-21 18:00"),
        ("2026-09-21 23:00", "1d", "2026-09-22 00:00"),  # the start day always counts
        ("2026-09-24 23:00", "3d", "2026-09-29 00:00"),
        ("2026-03-10 09:00", "1mo", "2026-04-10 00:00"),  # ends on the day before the same day
        ("2026-01-31 09:00", "1mo", "2026-03-01 00:00"),  # February has no such day: its last day
        ("2026-01-30 09:00", "1mo", "2026-03-01 00:00"),
        ("2026-05-01 09:00", "1mo", "2026-06-02 00:00"),  # 31 May is a Sunday
        ("2025-01-01 00:00", "1y", "2026-01-01 00:00"),
    ],
)
def test_inclusive_count_starts_on_the_start_day(start: str, duration: str, expected: str) -> None:
    assert due(start, duration, counting="inclusive") == expected


@pytest.mark.parametrize(
    ("start", "duration", "rules", "expected"),
    [
        ("2026-09-24 16:40", "3d", {"roll": "none"}, "2026-09-28 00:00"),
        ("2026-09-24 16:40", "3d", {"day_end": "close"}, "2026-09-28 18:00"),
        ("2026-09-24 16:40", "3d", {"day_end": "close", "roll": "none"}, "2026-09-28 00:00"),  # a day off ends at 24:00
        ("2026-09-21 17:00", "1d", {"day_end": "close", "counting": "inclusive"}, "2026-09-21 18:00"),
        ("2026-09-21 18:00", "1d", {"day_end": "close", "counting": "inclusive"}, "2026-09-22 18:00"),  # from the next day
        ("2026-09-26 20:00", "1d", {"day_end": "close", "counting": "inclusive", "roll": "none"}, "2026-09-27 00:00"),
        ("2026-01-15 19:00", "1mo", {"day_end": "close", "counting": "inclusive", "roll": "none"}, "2026-02-16 00:00"),
        ("2026-09-21 18:00", "1d", {"day_end": "close"}, "2026-09-22 18:00"),
    ],
)
def test_roll_and_day_end_choose_the_instant(start: str, duration: str, rules: dict[str, Any], expected: str) -> None:
    assert due(start, duration, **rules) == expected


@pytest.mark.parametrize(
    ("start", "duration", "expected"),
    [
        ("2026-09-26 10:00", "same_day", "2026-09-27 00:00"),
        ("2026-09-26 10:00", "same_working_day", "2026-09-28 18:00"),
        ("2026-09-24 17:59", "same_working_day", "2026-09-24 18:00"),
        ("2026-09-24 18:00", "same_working_day", "2026-09-28 18:00"),
        ("2026-09-24 07:00", "same_working_day", "2026-09-24 18:00"),
    ],
)
def test_same_day_ends_at_midnight_and_same_working_day_at_the_close(start: str, duration: str, expected: str) -> None:
    assert due(start, duration) == expected


@pytest.mark.parametrize(
    ("start", "duration", "rules", "expected"),
    [
        ("2026-12-30 10:00", "1wd", {}, False),
        ("2026-12-30 10:00", "2wd", {}, True),
        ("2026-12-31 10:00", "1wd", {"counting": "inclusive"}, False),
        ("2026-12-31 18:00", "1wd", {"counting": "inclusive"}, True),
        ("2026-12-30 10:00", "1d", {}, False),
        ("2026-12-30 10:00", "2d", {}, True),
        ("2026-12-30 10:00", "2d", {"roll": "none"}, False),  # midnight does not depend on the schedule
        ("2026-12-30 10:00", "2d", {"roll": "none", "day_end": "close"}, True),
        ("2026-11-02 10:00", "60d", {}, True),  # received in November, due in January
        ("2026-12-31 14:00", "4wh", {}, False),  # used up exactly at the close
        ("2026-12-31 14:00:00.000001", "4wh", {}, True),
        ("2026-12-31 14:00", "100h", {}, False),
        ("2027-02-01 10:00", "same_day", {}, False),
        ("2027-02-01 10:00", "same_working_day", {}, True),
        ("2026-12-31 19:00", "0.5wd", {}, True),
    ],
)
def test_deadline_that_depends_on_an_unpublished_day_is_provisional(
    start: str, duration: str, rules: dict[str, Any], expected: bool
) -> None:
    assert is_provisional(start, duration, **rules) is expected
