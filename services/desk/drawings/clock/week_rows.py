"""Lays out a clock that counts whole days: weeks from Monday to Sunday, and one row for a long run of weeks without an event."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Final

from services.desk.drawings.clock.clock_data import ClockData, ClockDay, Mark

_ONE_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)
_LONGEST_SPELLED_OUT: Final = 8
_SHOWN_AT_EACH_END: Final = 2


@dataclass(frozen=True, slots=True)
class DayCell:
    """A date with what the clock states of it; `day` is None outside the clock's days."""

    date: date
    day: ClockDay | None
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class WeekRow:
    """The cells of a week; or no cells, where the row covers `week_count` weeks in which `counted` days count."""

    first: date
    cells: tuple[DayCell, ...]
    week_count: int = 1
    counted: int = 0


def week_rows(clock: ClockData) -> list[WeekRow]:
    """The rows in the order of time."""
    days = {day.day: day for day in clock.days}
    marks = defaultdict[date, list[Mark]](list)
    for mark in clock.marks:
        marks[_date_of(mark)].append(mark)
    dates = [*days, *marks]
    first, last = _monday(min(dates)), _monday(max(dates))
    weeks = [first + number * _WEEK for number in range((last - first).days // 7 + 1)]
    eventful, of_clock = {_monday(day) for day in marks}, {_monday(day) for day in days}
    rows: list[WeekRow] = []
    for (is_eventful, is_of_clock), run in groupby(weeks, key=lambda week: (week in eventful, week in of_clock)):
        listed = list(run)
        if is_eventful or len(listed) <= (_LONGEST_SPELLED_OUT if is_of_clock else 1):
            rows += [_week(week, days, marks) for week in listed]
            continue
        # Weeks between a deadline that has passed and now say nothing, so that all of them are one row.
        ends = _SHOWN_AT_EACH_END if is_of_clock else 0
        folded = listed[ends : len(listed) - ends]
        rows += [_week(week, days, marks) for week in listed[:ends]]
        rows.append(_folded(folded, days))
        rows += [_week(week, days, marks) for week in listed[len(listed) - ends :]]
    return rows


def _date_of(mark: Mark) -> date:
    # A day's end at 24:00 is written as 00:00 of the next date (time.md); in a calendar of days it belongs to the day that it ends.
    is_day_end = mark.kind == "due" and mark.at.hour == mark.at.minute == mark.at.second == mark.at.microsecond == 0
    return mark.at.date() - _ONE_DAY if is_day_end else mark.at.date()


def _monday(day: date) -> date:
    return day - day.weekday() * _ONE_DAY


def _week(monday: date, days: dict[date, ClockDay], marks: dict[date, list[Mark]]) -> WeekRow:
    dates = [monday + number * _ONE_DAY for number in range(7)]
    return WeekRow(monday, tuple(DayCell(day, days.get(day), tuple(marks.get(day, ()))) for day in dates))


def _folded(weeks: list[date], days: dict[date, ClockDay]) -> WeekRow:
    end = weeks[-1] + _WEEK
    counted = sum(1 for day in days.values() if weeks[0] <= day.day < end and day.number is not None)
    return WeekRow(weeks[0], (), len(weeks), counted)
