"""The periods of figures: weeks (ISO 8601), months, quarters and years."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final, Literal

PeriodUnit = Literal["week", "month", "quarter", "year"]
PERIOD_UNITS: Final[tuple[PeriodUnit, ...]] = ("week", "month", "quarter", "year")
_MONTHS: Final[dict[PeriodUnit, int]] = {"month": 1, "quarter": 3, "year": 12}
_WEEK: Final = timedelta(days=7)


def period_start(day: date, unit: PeriodUnit) -> date:
    """The first day of the period in which a day lies."""
    if unit == "week":
        return day - timedelta(days=day.weekday())
    months = _MONTHS[unit]
    return day.replace(month=(day.month - 1) // months * months + 1, day=1)


def next_period(first: date, unit: PeriodUnit) -> date:
    """The first day of the period after the one that begins on `first`."""
    if unit == "week":
        return first + _WEEK
    month = first.month - 1 + _MONTHS[unit]
    return first.replace(year=first.year + month // 12, month=month % 12 + 1)


def periods_between(first: date, last: date, unit: PeriodUnit) -> list[date]:
    """The first days of the periods in which the days from `first` to `last` lie, in order."""
    starts = [period_start(first, unit)]
    while (following := next_period(starts[-1], unit)) <= last:
        starts.append(following)
    return starts


def period_label(first: date, unit: PeriodUnit) -> str:
    """The period as both languages write it: 2026-W39, 2026-09, 2026-Q3, 2026."""
    match unit:
        case "week":
            year, week, _ = first.isocalendar()
            return f"{year}-W{week:02}"
        case "month":
            return f"{first:%Y-%m}"
        case "quarter":
            return f"{first.year}-Q{(first.month + 2) // 3}"
        case "year":
            return str(first.year)
