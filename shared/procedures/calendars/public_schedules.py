"""Public schedules for calendars: holidays, make-up working days, and the date up to which they are published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Final, Literal

from chinese_calendar import constants

DayChange = Literal["off", "work"]

# The State Council announces the schedule of a year in November of the year before. Raise this date once the package has the new
# schedule and it has been checked; until then a calendar file may have its own days and a later `published_until`.
CHINA_PUBLISHED_UNTIL: Final = date(2026, 12, 31)


@dataclass(frozen=True, slots=True)
class PublicSchedule:
    """The days that differ from their weekday, and the last date for which they are published (None: unlimited)."""

    days: Mapping[date, DayChange] = field(default_factory=dict)
    published_until: date | None = None


@cache
def china_schedule() -> PublicSchedule:
    """The schedule of mainland China since 2004: public holidays, and the weekend days that are worked in exchange."""
    days: dict[date, DayChange] = dict.fromkeys(constants.holidays, "off")
    days.update(dict.fromkeys(constants.workdays, "work"))
    return PublicSchedule({day: days[day] for day in sorted(days) if day <= CHINA_PUBLISHED_UNTIL}, CHINA_PUBLISHED_UNTIL)


def find_schedule(name: str) -> PublicSchedule | None:
    """The schedule with the name `china` or `none`; None for an unknown name."""
    if name == "china":
        return china_schedule()
    return PublicSchedule() if name == "none" else None
