"""Working intervals over midnight belong to the day on which they begin; statutory holidays before a year's notice."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from services.sla.domain.deadlines.explanation import explain_deadline
from services.sla.domain.deadlines.worktime import Worktime
from shared.procedures.calendars.calendar import Calendar
from tests.support.deadlines.shorthand import due, is_provisional, limit

WORKING_DAYS = ("mon", "tue", "wed", "thu", "fri")


@cache
def night() -> Calendar:
    """Monday to Friday 22:00 to 06:00; Thursday 12 November 2026 is off, Saturday 14 a make-up day."""
    hours = {name: ["22:00-06:00"] for name in WORKING_DAYS}
    days = {"2026-11-12": "off", "2026-11-21": "work"}
    return Calendar.parse({"id": "night", "version": 1, "schedule": "none", "hours": hours, "days": days})


@pytest.mark.parametrize(
    ("start", "duration", "expected"),
    [
        ("2026-11-13 23:00", "1wd", "2026-11-17 06:00"),  # Friday's shift: the next is Monday's, which ends on Tuesday
        ("2026-11-14 02:00", "1wd", "2026-11-17 06:00"),  # the same shift, after midnight
        ("2026-11-14 06:00", "1wd", "2026-11-17 06:00"),  # Saturday: the shift has ended
        ("2026-11-11 23:00", "5wh", "2026-11-12 04:00"),  # Wednesday's shift goes on into Thursday, although that is off
        ("2026-11-11 23:00", "8wh", "2026-11-13 23:00"),  # Thursday has no shift
        ("2026-11-17 02:00", "1wd", "2026-11-18 06:00"),
        ("2026-11-17 02:00", "0.5wd", "2026-11-17 06:00"),
        ("2026-11-17 02:00", "same_working_day", "2026-11-17 06:00"),
        ("2026-11-17 06:00", "same_working_day", "2026-11-18 06:00"),
        ("2026-11-17 02:00", "1d", "2026-11-19 00:00"),  # d keeps the date
        ("2026-11-17 02:00", "same_day", "2026-11-18 00:00"),
        ("2026-11-20 23:00", "1wd", "2026-11-22 06:00"),  # the make-up day's shift ends on Sunday
    ],
)
def test_interval_over_midnight_belongs_to_the_day_on_which_it_begins(start: str, duration: str, expected: str) -> None:
    assert due(start, duration, night()) == expected


@pytest.mark.parametrize(
    ("start", "duration", "expected"),
    [
        ("2026-11-17 02:00", "1wd", "2026-11-17 06:00"),  # Monday counts as the first day
        ("2026-11-17 06:00", "1wd", "2026-11-18 06:00"),
        ("2026-11-17 02:00", "1d", "2026-11-18 00:00"),
    ],
)
def test_inclusive_count_begins_with_the_shift_that_runs(start: str, duration: str, expected: str) -> None:
    assert due(start, duration, night(), counting="inclusive") == expected


def test_pause_over_the_close_of_a_shift_holds_its_day_back() -> None:
    pauses = [("2026-11-17 05:00", "2026-11-17 06:00")]
    assert due("2026-11-16 21:00", "1wd", night(), counting="inclusive", pauses=pauses) == "2026-11-18 06:00"


def test_day_end_close_of_a_shift_over_midnight_lies_on_the_next_date() -> None:
    assert due("2026-11-15 12:00", "1d", night(), day_end="close") == "2026-11-17 06:00"
    assert due("2026-11-14 12:00", "1d", night(), day_end="close") == "2026-11-17 06:00"  # Sunday rolls to Monday


def test_hours_of_a_shift_over_a_summer_time_change_elapse() -> None:
    zone = "America/New_York"
    calendar = Calendar.parse({"id": "ny", "version": 1, "zone": zone, "schedule": "none", "hours": {"sat": ["22:00-06:00"]}})
    assert due("2026-03-08 02:00+00:00", "same_working_day", calendar) == "2026-03-08 06:00"
    worktime = Worktime.for_calendar(calendar)
    lengths = dict(zip(map(worktime.date_of, worktime.work_days), worktime.work_day_lengths, strict=True))
    hours = {str(day): length // 3_600_000_000 for day, length in lengths.items() if day.year == 2026}
    assert (hours["2026-03-07"], hours["2026-10-31"], hours["2026-06-06"]) == (7, 9, 8)


def explain(start: str, duration: str, calendar: Calendar, **options: Any) -> dict[str, Any]:
    return explain_deadline(Worktime.for_calendar(calendar), limit(start, duration, **options))


def test_explanation_counts_a_shift_over_midnight_as_one_day() -> None:
    explanation = explain("2026-11-17 02:00", "1wd", night())
    assert explanation["rolled"] is None
    assert [(segment["day"], segment["from"][:16], segment["to"][:16], segment["because"]) for segment in explanation["segments"]] == [
        ("2026-11-16", "2026-11-17T02:00", "2026-11-17T06:00", "start_day"),
        ("2026-11-17", "2026-11-17T06:00", "2026-11-18T06:00", "working_day"),
    ]


def test_explanation_names_the_roll_to_a_day_that_closes_after_midnight() -> None:
    explanation = explain("2026-11-14 12:00", "1d", night(), day_end="close")
    assert (explanation["rolled"]["from"], explanation["rolled"]["to"]) == ("2026-11-15", "2026-11-16")
    assert explain("2026-11-15 12:00", "1d", night(), day_end="close")["rolled"] is None


def test_shift_that_begins_on_the_last_published_day_is_not_provisional() -> None:
    calendar = Calendar.parse({"id": "night", "version": 1, "hours": {name: ["22:00-06:00"] for name in WORKING_DAYS}})
    assert due("2026-12-31 23:00", "5wh", calendar) == "2027-01-01 04:00"
    assert is_provisional("2026-12-31 23:00", "5wh", calendar) is False
    assert is_provisional("2027-01-01 02:00", "same_working_day", calendar) is False
    assert is_provisional("2027-01-01 02:00", "5wh", calendar) is True


def test_shift_that_would_end_after_the_last_instant_is_never_closed() -> None:
    worktime = Worktime.for_calendar(night())
    assert worktime.work_day_closes[-1] <= worktime.end
    assert worktime.interval_ends[-1] == worktime.end


@pytest.mark.parametrize(
    ("start", "duration", "expected"),
    [
        ("2026-12-31 10:00", "1wd", "2027-01-04 18:00"),
        ("2026-12-31 17:00", "2wh", "2027-01-04 10:00"),
        ("2027-02-04 10:00", "1wd", "2027-02-09 18:00"),  # Lunar New Year's Eve is a Friday; the days in lieu wait for the notice
        ("2027-09-14 10:00", "1d", "2027-09-17 00:00"),  # Mid-Autumn rolls to the next working day
    ],
)
def test_statutory_holidays_are_days_off_before_the_notice(start: str, duration: str, expected: str) -> None:
    assert due(start, duration) == expected
    assert is_provisional(start, duration) is True
