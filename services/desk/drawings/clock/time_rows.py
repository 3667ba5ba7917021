"""Lays out a clock that counts time: a row for each day, and one row for a run of days that are all alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Final, Literal

from services.desk.drawings.clock.clock_data import ClockData, Mark, StretchKind

SpanState = Literal["counted", "paused", "empty"]
_LONGEST_SPELLED_OUT: Final = 2
_ONE_DAY: Final = timedelta(days=1)
_TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch within a row, from 0 (the row's first midnight) to 1 (its last)."""

    start: float
    end: float
    kind: StretchKind


@dataclass(frozen=True, slots=True)
class TimeRow:
    """The days from `first` to `last`, both inclusive; `places` are the marks with their place from 0 to 1."""

    first: date
    last: date
    bars: tuple[Bar, ...] = ()
    places: tuple[tuple[float, Mark], ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def day_count(self) -> int:
        """Number of days that the row covers."""
        return (self.last - self.first).days + 1


def time_rows(clock: ClockData) -> list[TimeRow]:
    """The rows in the order of time."""
    eventful = sorted(_eventful_days(clock))
    rows = []
    for day, next_day in pairwise([*eventful, None]):
        if day is None:
            break
        rows.append(_row(clock, day, day))
        if next_day is not None and next_day > day + _ONE_DAY:
            rows.extend(_quiet_rows(clock, day + _ONE_DAY, next_day - _ONE_DAY))
    return rows


def _eventful_days(clock: ClockData) -> set[date]:
    """Days on which something begins or ends; between them every day is counted, paused or empty as a whole."""
    days = {mark.at.date() for mark in clock.marks}
    for stretch in clock.stretches:
        days |= {stretch.start.date(), (stretch.end - _TICK).date()}
    return days


def _quiet_rows(clock: ClockData, first: date, last: date) -> Iterator[TimeRow]:
    if (last - first).days < _LONGEST_SPELLED_OUT:
        for offset in range((last - first).days + 1):
            yield _row(clock, first + offset * _ONE_DAY, first + offset * _ONE_DAY)
        return
    yield _row(clock, first, last)


def _row(clock: ClockData, first: date, last: date) -> TimeRow:
    begin, end = _midnight(clock, first), _midnight(clock, last + _ONE_DAY)
    bars = tuple(
        Bar(_place(max(stretch.start, begin), begin, end), _place(min(stretch.end, end), begin, end), stretch.kind)
        for stretch in clock.stretches
        if _elapsed(stretch.start, end) > 0 and _elapsed(begin, stretch.end) > 0
    )
    places = tuple((_place(mark.at, begin, end), mark) for mark in clock.marks if first <= mark.at.date() <= last)
    reasons = dict.fromkeys(reason for day, reason in sorted(clock.days_off.items()) if first <= day <= last)
    return TimeRow(first, last, bars, places, tuple(reasons))


def _midnight(clock: ClockData, day: date) -> datetime:
    return datetime.combine(day, time(), clock.zone)


def _place(at: datetime, begin: datetime, end: datetime) -> float:
    return min(max(_elapsed(begin, at) / _elapsed(begin, end), 0.0), 1.0)


def _elapsed(start: datetime, end: datetime) -> float:
    # By UTC: on a day of 23 or 25 hours the difference of wall-clock times would put instants out of order.
    return end.timestamp() - start.timestamp()
