"""The public schedules a calendar may build on, as dated data: days off, days worked in exchange, and how far that is published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Final, Literal

from chinese_calendar import constants

DayChange = Literal["off", "work"]

# The State Council announces a year's schedule in November of the year before. This date is data: it moves when the new
# schedule has been checked, or a calendar file gives its own days and a later `published_until`.
CHINA_PUBLISHED_UNTIL: Final = date(2026, 12, 31)


@dataclass(frozen=True, slots=True)
class PublicSchedule:
    """A public schedule: the days that differ from their weekday, and the last date for which it is known (None: for ever)."""

    days: Mapping[date, DayChange] = field(default_factory=dict)
    published_until: date | None = None


@cache
def china_schedule() -> PublicSchedule:
    """Give the schedule of mainland China since 2004: public holidays, and the weekend days worked in exchange."""
    days: dict[date, DayChange] = dict.fromkeys(constants.holidays, "off")
    days.update(dict.fromkeys(constants.workdays, "work"))
    return PublicSchedule({day: days[day] for day in sorted(days) if day <= CHINA_PUBLISHED_UNTIL}, CHINA_PUBLISHED_UNTIL)


def find_schedule(name: str) -> PublicSchedule | None:
    """Find a schedule by the name that a calendar file gives: china or none; None if there is no such schedule."""
    if name == "china":
        return china_schedule()
    return PublicSchedule() if name == "none" else None
