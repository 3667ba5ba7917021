"""counting.py in clock time, working time and fractions of a working day; the limits of the calendar."""

from __future__ import annotations

import pytest

from services.sla.domain.deadlines.counting import CountingRule, DeadlineError, add_duration
from services.sla.domain.deadlines.worktime import Worktime
from shared.procedures.calendars.calendar import Calendar, default_calendar
from shared.procedures.model.duration import Duration
from tests.support.deadlines.shorthand import at, due


@pytest.mark.parametrize(
    ("start", "duration", "expected"),
    [
        ("2026-09-24 23:50", "30m", "2026-09-25 00:20"),  # clock time passes at night too
        ("2026-09-24 16:40", "2h", "2026-09-24 18:40"),
        ("2026-09-24 08:00", "3wh", "2026-09-24 12:00"),  # used up exactly at the close, not at the next opening
        ("2026-09-24 08:00", "8wh", "2026-09-24 18:00"),
        ("2026-09-24 12:30", "1wh", "2026-09-24 14:00"),
        ("2026-09-24 12:00", "1wh", "2026-09-24 14:00"),
        ("2026-09-24 18:00", "1wh", "2026-09-28 10:00"),  # 18:00 is outside working time
        ("2026-09-24 17:59:59.999999", "1wh", "2026-09-28 09:59:59.999999"),
        ("2026-09-26 10:00", "1wh", "2026-09-28 10:00"),
        ("2026-09-20 10:00", "1wh", "2026-09-20 11:00"),  # a make-up Sunday
        ("2026-09-24 09:00", "0.5wd", "2026-09-24 14:00"),
        ("2026-09-24 18:00", "0.5wd", "2026-09-28 14:00"),
        ("2026-09-24 17:00", "0.25wd", "2026-09-28 10:00"),
        ("2026-09-24 09:00", "0.125wd", "2026-09-24 10:00"),
    ],
)
def test_hours_and_fractions_of_a_day_are_counted_as_time(start: str, duration: str, expected: str) -> None:
    assert due(start, duration) == expected


def test_fraction_is_of_the_first_working_day_that_closes_after_the_start() -> None:
    short_days = {"2026-09-24": ["09:00-11:00"], "2026-09-28": ["10:00-14:00"]}
    calendar = Calendar.parse({"id": "short", "version": 1, "days": short_days})
    assert due("2026-09-24 08:00", "0.5wd", calendar) == "2026-09-24 10:00"
    assert due("2026-09-24 10:30", "0.5wd", calendar) == "2026-09-28 10:30"  # one hour, of which half an hour is left on the 24th
    assert due("2026-09-24 11:00", "0.5wd", calendar) == "2026-09-28 12:00"


def test_start_or_due_instant_outside_the_calendar_is_refused() -> None:
    worktime = Worktime.for_calendar(default_calendar())
    for start, duration in [
        ("1999-12-31 10:00", "1d"),
        ("2026-01-01 10:00", "9999999d"),
        ("2099-12-31 10:00", "3wd"),
        ("9999-12-31 23:59", "1mo"),
    ]:
        with pytest.raises(DeadlineError, match="give"):
            add_duration(worktime, at(start), Duration.parse(duration))


def test_unknown_rule_is_refused_with_the_allowed_values() -> None:
    with pytest.raises(DeadlineError, match=r"roll 'backward'.*forward or none"):
        CountingRule.parse(roll="backward")
