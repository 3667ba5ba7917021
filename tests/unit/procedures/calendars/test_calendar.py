"""Calendars read from plain data: the public schedule and rejected input."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from services.sla.domain.evidence.decision_context import calendar_to_dict
from shared.procedures.calendars.calendar import Calendar, CalendarError, default_calendar, format_interval
from shared.procedures.calendars.public_schedules import CHINA_PUBLISHED_UNTIL, china_schedule, china_statutory_days
from tests.support.deadlines.minute_counter import DAYS_OFF, MAKE_UP_DAYS, STATUTORY_DAYS

MINIMAL = {"id": "branch", "version": 3}


def test_public_schedule_agrees_with_the_official_notices() -> None:
    for year in (2024, 2025, 2026):
        changes = {day: change for day, change in china_schedule().days.items() if day.year == year}
        assert {day for day, change in changes.items() if change == "work"} == {day for day in MAKE_UP_DAYS if day.year == year}
        assert {day for day, change in changes.items() if change == "off"} == {day for day in DAYS_OFF if day.year == year}
    assert date(2026, 12, 31) == CHINA_PUBLISHED_UNTIL


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"id": None}, "id None"),
        ({"version": ""}, "version"),
        ({"version": "v2"}, "version: must be numbers with dots"),
        ({"version": "2026."}, "version: must be numbers with dots"),
        ({"version": "２０２６"}, "version: must be numbers with dots"),
        ({"version": "1" * 65}, "version: must be numbers with dots"),
        ({"version": True}, "version: must be numbers with dots"),
        ({"version": 2026.1}, "in quotes"),
        ({"statutory_days": "2027-01-01"}, "list of dates"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "../etc"}, "zone"),
        ({"schedule": "moon"}, "schedule"),
        ({"hours": {"monday": []}}, "monday"),
        ({"hours": {}}, "no weekday is worked"),
        ({"hours": "9-5"}, "hours"),
        ({"hours": {"mon": "09:00-12:00"}}, "list of intervals"),
        ({"hours": {"mon": ["12:00-12:00"]}}, "two different times"),
        ({"hours": {"mon": ["24:00-06:00"]}}, "two different times"),
        ({"hours": {"mon": ["22:00-06:00", "23:00-24:00"]}}, "overlap"),
        ({"hours": {"mon": ["22:00-06:00"], "tue": ["05:00-12:00"]}}, "hours mon: the last interval reaches into the next day"),
        ({"hours": {"sun": ["22:00-06:00"], "mon": ["05:00-12:00"]}}, "hours sun: the last interval reaches into the next day"),
        ({"hours": {"mon": ["22:00-06:00"]}, "days": {"2026-11-10": ["05:00-12:00"]}}, "days 2026-11-09: the last interval"),
        ({"days": {"2026-11-09": ["22:00-09:01"]}}, "days 2026-11-09: the last interval"),
        ({"hours": {"mon": ["09:00-24:01"]}}, "24:00"),
        ({"hours": {"mon": ["09:60-12:00"]}}, "09:60"),
        ({"hours": {"mon": ["09:00-12:00", "11:00-13:00"]}}, "overlap"),
        ({"days": {"tomorrow": "off"}}, "tomorrow"),
        ({"days": ["2026-01-01"]}, "days"),
        ({"days": {"2026-01-01": "maybe"}}, "2026-01-01"),
        ({"days": {"2026-01-03": "work"}, "hours": {"tue": ["09:00-12:00"]}, "schedule": "none"}, "Monday has none"),
        ({"published_until": "soon"}, "published_until"),
        ({"holidays": []}, "unknown key 'holidays'"),
    ],
)
def test_invalid_calendar_is_refused_with_the_field_named(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(CalendarError, match=message):
        Calendar.parse(MINIMAL | changed)


def test_statutory_days_are_those_of_order_795() -> None:
    assert {day for day in china_statutory_days() if 2027 <= day.year <= 2029} == STATUTORY_DAYS


@pytest.mark.parametrize("year", range(2027, 2100))
def test_statutory_days_of_each_year_are_thirteen_unless_two_coincide(year: int) -> None:
    days = sorted(day for day in china_statutory_days() if day.year == year)
    fixed = {date(year, 1, 1), date(year, 5, 1), date(year, 5, 2), date(year, 10, 1), date(year, 10, 2), date(year, 10, 3)}
    lunar = [day for day in days if day not in fixed]
    new_year, (qingming, dragon_boat, *mid_autumn) = lunar[:4], lunar[4:]
    assert fixed <= set(days)
    assert (new_year[-1] - new_year[0]).days == 3
    assert date(year, 1, 20) <= new_year[0] <= date(year, 2, 20)
    assert date(year, 4, 4) <= qingming <= date(year, 4, 6)
    assert date(year, 5, 27) <= dragon_boat <= date(year, 6, 26)
    # The 15th of the 8th lunar month can be one of the first three days of October: then it is no day of its own.
    assert all(date(year, 9, 7) <= day <= date(year, 10, 8) for day in mid_autumn)
    assert len(mid_autumn) <= 1


def test_notice_replaces_the_statutory_days_of_its_year() -> None:
    announced = Calendar.parse(MINIMAL | {"published_until": "2027-12-31", "days": {"2027-02-05": "work"}})
    assert announced.intervals_on(date(2027, 1, 1)) == announced.hours[4]
    assert announced.intervals_on(date(2027, 2, 5)) == announced.hours[4]
    assert announced.intervals_on(date(2028, 1, 25)) == ()
    assert not announced.is_published(date(2028, 1, 25))


def test_entry_of_the_file_wins_over_a_statutory_day() -> None:
    calendar = Calendar.parse(MINIMAL | {"days": {"2027-01-01": "work"}})
    assert calendar.intervals_on(date(2027, 1, 1)) == calendar.hours[4]
    assert calendar.is_published(date(2027, 1, 1))


def test_calendar_without_a_schedule_has_no_statutory_days() -> None:
    plain = Calendar.parse(MINIMAL | {"schedule": "none"})
    assert plain.intervals_on(date(2027, 1, 1)) == plain.hours[4]


def test_interval_may_cross_midnight_and_is_written_back_as_it_was_read() -> None:
    night = Calendar.parse(MINIMAL | {"hours": {"mon": ["22:00-06:00"], "tue": ["06:00-12:00", "22:00-00:00"]}})
    assert night.hours[:2] == (((1320, 1800),), ((360, 720), (1320, 1440)))
    assert [format_interval(interval) for interval in (*night.hours[0], *night.hours[1])] == [
        "22:00-06:00",
        "06:00-12:00",
        "22:00-24:00",
    ]


@pytest.mark.parametrize("calendar", [default_calendar(), Calendar.parse(MINIMAL | {"hours": {"mon": ["22:00-06:00"]}})])
def test_stored_calendar_is_the_same_when_it_is_read_again(calendar: Calendar) -> None:
    restored = Calendar.parse(calendar_to_dict(calendar))
    assert calendar_to_dict(restored) == calendar_to_dict(calendar)
    assert restored.intervals_on(date(2027, 1, 1)) == ()


def test_versions_are_compared_part_by_part() -> None:
    texts = ["2026.10", "2026", "2025.12", "2026.2", "10", "9"]
    ordered = sorted((Calendar.parse(MINIMAL | {"version": text}) for text in texts), key=lambda calendar: calendar.version_parts)
    assert [calendar.version for calendar in ordered] == ["9", "10", "2025.12", "2026", "2026.2", "2026.10"]


def test_built_in_calendar_has_a_newer_version_since_it_has_statutory_days() -> None:
    assert default_calendar().version_parts > (2026,)


def test_shifts_over_midnight_may_follow_each_other_and_touch_but_not_overlap() -> None:
    # Monday's shift ends on Tuesday at 06:00 and Tuesday's begins at 22:00 or at 06:00: no minute belongs to two days.
    for tuesday in ("22:00-06:00", "06:00-14:00"):
        calendar = Calendar.parse({"id": "night", "version": 1, "schedule": "none", "hours": {"mon": ["22:00-06:00"], "tue": [tuesday]}})
        assert [format_interval(interval) for interval in calendar.hours[1]] == [tuesday]
    with pytest.raises(CalendarError, match=r"hours mon: the last interval reaches into the next day's first one"):
        Calendar.parse({"id": "night", "version": 1, "schedule": "none", "hours": {"mon": ["22:00-06:00"], "tue": ["05:59-14:00"]}})
