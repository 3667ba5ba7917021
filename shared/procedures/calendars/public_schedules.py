"""Public schedules for calendars: holidays, make-up working days, and the date up to which they are published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Final, Literal

import holidays
from chinese_calendar import constants

DayChange = Literal["off", "work"]

# The State Council announces the schedule of a year in November of the year before. Raise this date once the package has the new
# schedule and it has been checked; until then a calendar file may have its own days and a later `published_until`.
CHINA_PUBLISHED_UNTIL: Final = date(2026, 12, 31)
# State Council order 795, article 2. The library lists under other names what a notice adds: days in lieu, bridges, one-off days.
_STATUTORY_NAMES: Final = frozenset(
    {
        "New Year's Day",
        "Chinese New Year's Eve",
        "Chinese New Year (Spring Festival)",
        "Tomb-Sweeping Day",
        "Labor Day",
        "Dragon Boat Festival",
        "Mid-Autumn Festival",
        "National Day",
    }
)
_STATUTORY_YEARS: Final = range(2000, 2100)


@dataclass(frozen=True, slots=True)
class PublicSchedule:
    """The days that differ from their weekday, and the last date for which they are published (None: unlimited).

    `statutory_days` are the days off that the law itself names, of all years; they are known before a notice.
    """

    days: Mapping[date, DayChange] = field(default_factory=dict)
    published_until: date | None = None
    statutory_days: frozenset[date] = frozenset()


@cache
def china_statutory_days() -> frozenset[date]:
    """The statutory holidays of mainland China from 2000 to 2099, without days in lieu (State Council order 795 since 2025)."""
    # The library's observed days are a guess: only the notice moves a holiday that falls on a weekend.
    listed = holidays.country_holidays("CN", years=_STATUTORY_YEARS, observed=False, language="en_US")
    return frozenset(day for day in listed if not _STATUTORY_NAMES.isdisjoint(listed.get_list(day)))


@cache
def china_schedule() -> PublicSchedule:
    """The schedule of mainland China since 2004: public holidays, and the weekend days that are worked in exchange."""
    days: dict[date, DayChange] = dict.fromkeys(constants.holidays, "off")
    days.update(dict.fromkeys(constants.workdays, "work"))
    published_days = {day: days[day] for day in sorted(days) if day <= CHINA_PUBLISHED_UNTIL}
    return PublicSchedule(published_days, CHINA_PUBLISHED_UNTIL, china_statutory_days())


def find_schedule(name: str) -> PublicSchedule | None:
    """The schedule with the name `china` or `none`; None for an unknown name."""
    if name == "china":
        return china_schedule()
    return PublicSchedule() if name == "none" else None
