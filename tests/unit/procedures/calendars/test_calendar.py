"""Calendars read from plain data: the public schedule and rejected input."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from shared.procedures.calendars.calendar import Calendar, CalendarError
from shared.procedures.calendars.public_schedules import CHINA_PUBLISHED_UNTIL, china_schedule
from tests.support.deadlines.minute_counter import DAYS_OFF, MAKE_UP_DAYS

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
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "../etc"}, "zone"),
        ({"schedule": "moon"}, "schedule"),
        ({"hours": {"monday": []}}, "monday"),
        ({"hours": {}}, "no weekday is worked"),
        ({"hours": "9-5"}, "hours"),
        ({"hours": {"mon": "09:00-12:00"}}, "list of intervals"),
        ({"hours": {"mon": ["12:00-09:00"]}}, "end after it begins"),
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
