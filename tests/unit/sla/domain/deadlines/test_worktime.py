"""Working-time tables: hours, exceptions, the last published day, zones with summer time."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from services.sla.domain.deadlines.worktime import MICROS_PER_DAY, Worktime, to_micros
from shared.procedures.calendars.calendar import Calendar, default_calendar
from tests.support.deadlines.shorthand import at, due, is_provisional

BRANCH = """
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
def branch() -> Calendar:
    return Calendar.parse(yaml.safe_load(BRANCH))


def branch_with(**changes: Any) -> Calendar:
    return Calendar.parse({**yaml.safe_load(BRANCH), **changes})


def test_calendar_gives_hours_of_weekdays_and_of_listed_days() -> None:
    assert due("2026-09-15 09:00", "1wd", branch()) == "2026-09-19 12:00"  # Wednesday to Friday are not worked
    assert due("2026-09-21 09:00", "1wd", branch()) == "2026-09-28 17:30"  # Tuesday is off, and so is the public holiday
    assert due("2026-10-09 10:00", "1wd", branch()) == "2026-10-10 17:30"  # a make-up day has Monday's hours
    assert due("2026-11-03 09:00", "same_working_day", branch()) == "2026-11-04 00:00"  # closes at 24:00
    assert due("2026-11-03 09:00", "3wh", branch()) == "2026-11-03 21:00"
    assert due("2026-11-03 09:00", "6wh", branch()) == "2026-11-04 00:00"


def test_only_days_after_the_last_published_day_make_a_deadline_provisional() -> None:
    early = branch_with(published_until=date(2025, 12, 31), days={})
    assert early.intervals_on(date(2026, 1, 5)) == early.hours[0]
    assert early.intervals_on(date(2026, 2, 20)) == early.hours[4]  # a bridge of the notice, after the calendar's last published day
    assert early.intervals_on(date(2026, 2, 16)) == ()  # Lunar New Year's Eve, a day off by law
    assert is_provisional("2025-12-27 13:00", "1wd", early) is False
    assert is_provisional("2025-12-29 13:00", "3wd", early) is True
    assert not early.is_published(date(2026, 1, 1))


def test_day_listed_after_the_last_published_day_is_not_provisional() -> None:
    assert is_provisional("2026-12-31 09:00", "1d", branch_with(days={"2027-01-01": ["09:00-10:00"]})) is False
    assert is_provisional("2026-12-31 09:00", "2d", branch_with(days={"2027-01-01": ["09:00-10:00"]})) is True


def test_calendar_without_a_public_schedule_is_never_provisional() -> None:
    plain = Calendar.parse({"id": "plain", "version": "1", "schedule": "none"})
    assert due("2026-09-30 09:00", "1wd", plain) == "2026-10-01 18:00"
    assert is_provisional("2026-09-30 09:00", "5y", plain) is False


def zoned(zone: str, **options: Any) -> Calendar:
    return Calendar.parse({"id": zone, "version": "1", "zone": zone, "schedule": "none", **options})


def test_days_follow_the_wall_clock_and_hours_elapse_across_a_dst_change() -> None:
    zone, calendar = ZoneInfo("America/New_York"), zoned("America/New_York")
    assert due("2026-03-07 12:00", "24h", calendar, zone=zone) == "2026-03-08 13:00"
    assert due("2026-03-07 12:00", "1d", calendar, zone=zone, roll="none") == "2026-03-09 00:00"
    assert due("2026-10-31 12:00", "24h", calendar, zone=zone) == "2026-11-01 11:00"
    assert due("2026-03-06 12:00", "1wd", calendar, zone=zone) == "2026-03-09 18:00"


def test_dst_gap_uses_the_earlier_offset_and_fold_0() -> None:
    gap = Worktime.for_calendar(zoned("America/New_York", hours={"sun": ["02:00-04:00"]}))
    fold = Worktime.for_calendar(zoned("America/New_York", hours={"sun": ["01:30-03:00"]}))
    spring, autumn = at("2026-03-08 05:00+00:00"), at("2026-11-01 04:00+00:00")
    assert gap.earliest_instant(gap.worked_until(spring) + 1) == at("2026-03-08 07:00+00:00") + 1
    assert gap.worked_until(spring + MICROS_PER_DAY) - gap.worked_until(spring) == 3_600_000_000
    assert fold.earliest_instant(fold.worked_until(autumn) + 1) == at("2026-11-01 05:30+00:00") + 1
    assert fold.worked_until(autumn + MICROS_PER_DAY) - fold.worked_until(autumn) == 9_000_000_000


def test_day_ends_at_midnight_that_dst_skips_or_repeats() -> None:
    cairo, havana = ZoneInfo("Africa/Cairo"), ZoneInfo("America/Havana")
    assert due("2026-04-23 12:00", "same_day", zoned("Africa/Cairo"), zone=cairo) == "2026-04-24 01:00"
    assert Worktime.for_calendar(zoned("America/Havana")).midnight(date(2026, 11, 1)) == at("2026-11-01 04:00+00:00")
    assert due("2026-10-31 12:00", "same_day", zoned("America/Havana"), zone=havana) == "2026-11-01 00:00"


def test_offset_tables_agree_with_zoneinfo() -> None:
    for name in ("America/New_York", "Africa/Casablanca", "Australia/Lord_Howe", "Asia/Shanghai", "America/St_Johns"):
        zone, worktime = ZoneInfo(name), Worktime.for_calendar(zoned(name))
        for second in range(946_800_000, 2_000_000_000, 31_111_111):
            instant = worktime.to_datetime(second * 1_000_000)
            assert to_micros(instant) == second * 1_000_000
            assert worktime.date_of(worktime.day_of(second * 1_000_000)) == instant.date()
            assert worktime.midnight(instant.date()) == at(str(instant.date()) + " 00:00", zone)


def test_repeated_hour_round_trips_through_fold() -> None:
    worktime = Worktime.for_calendar(zoned("America/New_York"))
    first, second = at("2026-11-01 05:30+00:00"), at("2026-11-01 06:30+00:00")
    readings = [worktime.to_datetime(instant) for instant in (first, second)]
    assert [to_micros(reading) for reading in readings] == [first, second]
    assert [reading.fold for reading in readings] == [0, 1]


def test_tables_are_built_once_per_calendar() -> None:
    assert Worktime.for_calendar(default_calendar()) is Worktime.for_calendar(default_calendar())
