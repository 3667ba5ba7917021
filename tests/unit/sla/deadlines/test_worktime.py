"""Calendars as data: hours, exceptions, the published horizon, zones with summer time."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from services.sla.domain.deadlines.worktime import Worktime, to_micros
from shared.procedures.calendars.calendar import Calendar, CalendarError, default_calendar
from shared.procedures.calendars.public_schedules import CHINA_PUBLISHED_UNTIL, china_schedule
from tests.support.deadlines import at, due, is_provisional
from tests.support.minute_counter import DAYS_OFF, MAKE_UP_DAYS

WRITTEN = """
id: branch
version: 3
zone: Asia/Shanghai
hours: {mon: ["08:30-12:00", "14:00-17:30"], tue: ["09:00-17:00"], sat: ["10:00-12:00"]}
published_until: 2026-12-31
days:
  2026-09-22: off
  2026-10-10: work
  2026-11-03: ["10:00-12:00", "20:00-24:00"]
  2027-02-06: off
"""


@cache
def _plain() -> Calendar:
    return Calendar.parse(yaml.safe_load(WRITTEN))


def branch(**changed: Any) -> Calendar:
    return Calendar.parse({**yaml.safe_load(WRITTEN), **changed}) if changed else _plain()


def test_the_public_schedule_agrees_with_the_notices() -> None:
    for year in (2024, 2025, 2026):
        found = {day: change for day, change in china_schedule().days.items() if day.year == year}
        assert {day for day, change in found.items() if change == "work"} == {day for day in MAKE_UP_DAYS if day.year == year}
        assert {day for day, change in found.items() if change == "off"} == {day for day in DAYS_OFF if day.year == year}
    assert date(2026, 12, 31) == CHINA_PUBLISHED_UNTIL


def test_a_file_gives_hours_and_days() -> None:
    assert due("2026-09-15 09:00", "1wd", branch()) == "2026-09-19 12:00"  # Wednesday to Friday are not worked
    assert due("2026-09-21 09:00", "1wd", branch()) == "2026-09-28 17:30"  # Tuesday is off, and so is the public holiday
    assert due("2026-10-09 10:00", "1wd", branch()) == "2026-10-10 17:30"  # a make-up day has Monday's hours
    assert due("2026-11-03 09:00", "same_working_day", branch()) == "2026-11-04 00:00"  # closes at 24:00
    assert due("2026-11-03 09:00", "3wh", branch()) == "2026-11-03 21:00"
    assert due("2026-11-03 09:00", "6wh", branch()) == "2026-11-04 00:00"


def test_only_days_after_the_horizon_are_guessed() -> None:
    early = branch(published_until=date(2025, 12, 31), days={})
    assert early.intervals_on(date(2026, 1, 5)) == early.hours[0]
    assert early.intervals_on(date(2026, 2, 16)) == early.hours[0]  # the library knows this day off, the calendar not yet
    assert is_provisional("2025-12-27 13:00", "1wd", early) is False
    assert is_provisional("2025-12-29 13:00", "3wd", early) is True
    assert not early.is_published(date(2026, 1, 1))


def test_an_entry_after_the_horizon_is_known() -> None:
    assert is_provisional("2026-12-31 09:00", "1d", branch(days={"2027-01-01": ["09:00-10:00"]})) is False
    assert is_provisional("2026-12-31 09:00", "2d", branch(days={"2027-01-01": ["09:00-10:00"]})) is True


def test_a_calendar_without_a_schedule_has_no_horizon() -> None:
    plain = Calendar.parse({"id": "plain", "version": "1", "schedule": "none"})
    assert due("2026-09-30 09:00", "1wd", plain) == "2026-10-01 18:00"
    assert is_provisional("2026-09-30 09:00", "5y", plain) is False


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
def test_a_calendar_that_cannot_be_used_names_field_and_remedy(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(CalendarError, match=message):
        branch(**changed)


def zoned(name: str, **rest: Any) -> Calendar:
    return Calendar.parse({"id": name, "version": "1", "zone": name, "schedule": "none", **rest})


def test_dates_follow_the_wall_clock_and_hours_elapse() -> None:
    zone, calendar = ZoneInfo("America/New_York"), zoned("America/New_York")
    assert due("2026-03-07 12:00", "24h", calendar, zone=zone) == "2026-03-08 13:00"
    assert due("2026-03-07 12:00", "1d", calendar, zone=zone, roll="none") == "2026-03-09 00:00"
    assert due("2026-10-31 12:00", "24h", calendar, zone=zone) == "2026-11-01 11:00"
    assert due("2026-03-06 12:00", "1wd", calendar, zone=zone) == "2026-03-09 18:00"


def test_a_time_that_does_not_exist_is_read_with_the_offset_before_and_one_that_comes_twice_as_the_first() -> None:
    gap = Worktime.for_calendar(zoned("America/New_York", hours={"sun": ["02:00-04:00"]}))
    fold = Worktime.for_calendar(zoned("America/New_York", hours={"sun": ["01:30-03:00"]}))
    spring, autumn = at("2026-03-08 05:00+00:00"), at("2026-11-01 04:00+00:00")
    assert gap.earliest_instant(gap.worked_until(spring) + 1) == at("2026-03-08 07:00+00:00") + 1
    assert gap.worked_until(spring + 86_400_000_000) - gap.worked_until(spring) == 3_600_000_000
    assert fold.earliest_instant(fold.worked_until(autumn) + 1) == at("2026-11-01 05:30+00:00") + 1
    assert fold.worked_until(autumn + 86_400_000_000) - fold.worked_until(autumn) == 9_000_000_000


def test_midnight_itself_may_be_missing_or_come_twice() -> None:
    cairo, havana = ZoneInfo("Africa/Cairo"), ZoneInfo("America/Havana")
    assert due("2026-04-23 12:00", "same_day", zoned("Africa/Cairo"), zone=cairo) == "2026-04-24 01:00"
    assert Worktime.for_calendar(zoned("America/Havana")).midnight(date(2026, 11, 1)) == at("2026-11-01 04:00+00:00")
    assert due("2026-10-31 12:00", "same_day", zoned("America/Havana"), zone=havana) == "2026-11-01 00:00"


def test_the_tables_agree_with_the_zone() -> None:
    for name in ("America/New_York", "Africa/Casablanca", "Australia/Lord_Howe", "Asia/Shanghai", "America/St_Johns"):
        zone, worktime = ZoneInfo(name), Worktime.for_calendar(zoned(name))
        for second in range(946_800_000, 2_000_000_000, 31_111_111):
            instant = worktime.to_datetime(second * 1_000_000)
            assert to_micros(instant) == second * 1_000_000
            assert worktime.date_of(worktime.day_of(second * 1_000_000)) == instant.date()
            begins = worktime.midnight(instant.date())
            assert begins == at(str(instant.date()) + " 00:00", zone)


def test_an_instant_that_the_clock_shows_twice_keeps_its_place() -> None:
    worktime = Worktime.for_calendar(zoned("America/New_York"))
    first, second = at("2026-11-01 05:30+00:00"), at("2026-11-01 06:30+00:00")
    shown = [worktime.to_datetime(each) for each in (first, second)]
    assert [to_micros(each) for each in shown] == [first, second]
    assert [each.fold for each in shown] == [0, 1]


def test_calendars_are_compiled_once() -> None:
    assert Worktime.for_calendar(default_calendar()) is Worktime.for_calendar(default_calendar())
