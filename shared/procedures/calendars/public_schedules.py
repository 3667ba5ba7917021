"""The public schedules a calendar may build on, as dated data: days off, days worked in exchange, and how far that is published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Final, Literal

from chinese_calendar import constants

Change = Literal["off", "work"]

# The State Council announces a year's schedule in November of the year before. This date is data: it moves when the new
# schedule has been checked, or a calendar file gives its own days and a later `published_until`.
CHINA_PUBLISHED_UNTIL: Final = date(2026, 12, 31)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A public schedule: the days that differ from their weekday, and the last date for which it is known (None: for ever)."""

    days: Mapping[date, Change] = field(default_factory=dict)
    published_until: date | None = None


@cache
def china() -> Schedule:
    """Give the schedule of mainland China since 2004: public holidays, and the weekend days worked in exchange."""
    days: dict[date, Change] = dict.fromkeys(constants.holidays, "off")
    days.update(dict.fromkeys(constants.workdays, "work"))
    return Schedule({day: days[day] for day in sorted(days) if day <= CHINA_PUBLISHED_UNTIL}, CHINA_PUBLISHED_UNTIL)


def schedule(name: str) -> Schedule | None:
    """Find a schedule by the name that a calendar file gives: china or none; None if there is no such schedule."""
    if name == "china":
        return china()
    return Schedule() if name == "none" else None
