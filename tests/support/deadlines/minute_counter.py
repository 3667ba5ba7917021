"""Counts deadlines minute by minute and day by day, as a reference for the engine, with which it shares no code.

It has its own table of public holidays (the official notices for 2024 to 2026, the statutory days of 2027 to 2029) and works on naive
local times in China.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from fractions import Fraction
from math import ceil

CHINA = timezone(timedelta(hours=8))
LAST_PUBLISHED_DATE = date(2026, 12, 31)
ONE_DAY = timedelta(days=1)
ONE_MINUTE = timedelta(minutes=1)
OFFICE_HOURS = ((9 * 60, 12 * 60), (13 * 60, 18 * 60))
NIGHT_HOURS = ((20 * 60, 23 * 60), (23 * 60 + 30, 30 * 60))
"""Minutes from the midnight at which the working day begins: 20:00 to 23:00, and 23:30 to 06:00 of the next date."""

DAYS_OFF_TEXT = (
    "2024-01-01 2024-02-10/17 2024-04-04/06 2024-05-01/05 2024-06-10 2024-09-15/17 2024-10-01/07 "
    "2025-01-01 2025-01-28/31 2025-02-01/04 2025-04-04/06 2025-05-01/05 2025-05-31 2025-06-01/02 2025-10-01/08 "
    "2026-01-01/03 2026-02-15/23 2026-04-04/06 2026-05-01/05 2026-06-19/21 2026-09-25/27 2026-10-01/07"
)
MAKE_UP_DAYS_TEXT = (
    "2024-02-04 2024-02-18 2024-04-07 2024-04-28 2024-05-11 2024-09-14 2024-09-29 2024-10-12 "
    "2025-01-26 2025-02-08 2025-04-27 2025-09-28 2025-10-11 "
    "2026-01-04 2026-02-14 2026-02-28 2026-05-09 2026-09-20 2026-10-10"
)
STATUTORY_DAYS_TEXT = (
    "2027-01-01 2027-02-05/08 2027-04-05 2027-05-01/02 2027-06-09 2027-09-15 2027-10-01/03 "
    "2028-01-01 2028-01-25/28 2028-04-04 2028-05-01/02 2028-05-28 2028-10-01/03 "
    "2029-01-01 2029-02-12/15 2029-04-04 2029-05-01/02 2029-06-16 2029-09-22 2029-10-01/03"
)

LocalPause = tuple[datetime, datetime | None]
"""Start and end as naive local times; the end is None while the pause is open."""


def _dates(text: str) -> Iterator[date]:
    """Dates such as `2026-06-10` and ranges within a month such as `2026-06-19/21`."""
    for entry in text.split():
        first_text, _, last_day = entry.partition("/")
        first = date.fromisoformat(first_text)
        for day in range(first.day, int(last_day or first.day) + 1):
            yield first.replace(day=day)


DAYS_OFF = frozenset(_dates(DAYS_OFF_TEXT))
MAKE_UP_DAYS = frozenset(_dates(MAKE_UP_DAYS_TEXT))
STATUTORY_DAYS = frozenset(_dates(STATUTORY_DAYS_TEXT))
"""The days off that State Council order 795 names, in the years before whose notice this table was written."""


@dataclass
class MinuteCounter:
    """Counts one deadline; `provisional` is set when a day after the published schedule is judged, `nominal` to the last counted day."""

    counting: str = "exclusive"
    roll: str = "forward"
    day_end: str = "midnight"
    pauses: Sequence[LocalPause] = ()
    hours: Sequence[tuple[int, int]] = OFFICE_HOURS
    provisional: bool = field(default=False, init=False)
    nominal: date | None = field(default=None, init=False)

    def due(self, start: datetime, duration: str) -> datetime | None:
        """Return the due instant as a naive local time; None while an open pause holds it."""
        if duration == "same_day":
            return self._midnight(start.date() + ONE_DAY)
        if duration == "same_working_day":
            return self._close(self._open_day(start))
        match = re.fullmatch(r"([0-9.]+)([a-z]+)", duration)
        assert match, duration
        amount, unit = Fraction(match[1]), match[2]
        if unit in ("m", "h"):
            return self._count_clock_time(start, timedelta(minutes=int(amount) * (60 if unit == "h" else 1)))
        if unit == "wh":
            return self._count_working_time(start, timedelta(hours=int(amount)))
        if unit == "wd":
            return self._count_day_fraction(start, amount) if amount < 1 else self._count_working_days(start, int(amount))
        return self._count_days(start, int(amount), unit)

    def is_working_day(self, day: date) -> bool:
        if day > LAST_PUBLISHED_DATE:
            self.provisional = True
            return day.weekday() < 5 and day not in STATUTORY_DAYS
        return day in MAKE_UP_DAYS or (day.weekday() < 5 and day not in DAYS_OFF)

    def is_paused(self, minute: datetime) -> bool:
        """Whether the clock is paused during the minute that begins at `minute`."""
        return any(start <= minute and (end is None or minute < end) for start, end in self.pauses)

    def is_paused_at_day_end(self, day_end: datetime) -> bool:
        """Whether the clock is paused at a day's end: a pause that begins then is too late, and so is a resumption."""
        return any(start < day_end and (end is None or day_end <= end) for start, end in self.pauses)

    def is_paused_for_good(self, at: datetime) -> bool:
        """Whether an open pause began before an instant."""
        return any(end is None and start < at for start, end in self.pauses)

    def _is_working_minute(self, minute: datetime) -> bool:
        return any(
            opening <= (minute - self._midnight(day)) // ONE_MINUTE < closing and self.is_working_day(day)
            for day in (minute.date() - ONE_DAY, minute.date())
            for opening, closing in self.hours
        )

    def _count_clock_time(self, start: datetime, remaining: timedelta) -> datetime | None:
        return self._count_minutes(start, remaining, lambda minute: not self.is_paused(minute))

    def _count_working_time(self, start: datetime, remaining: timedelta) -> datetime | None:
        return self._count_minutes(start, remaining, lambda minute: not self.is_paused(minute) and self._is_working_minute(minute))

    def _count_minutes(self, minute: datetime, remaining: timedelta, counts: Callable[[datetime], bool]) -> datetime | None:
        while True:
            minute_end = minute.replace(second=0, microsecond=0) + ONE_MINUTE
            if self.is_paused_for_good(minute_end):
                return None
            if counts(minute):
                remaining -= minute_end - minute
            if remaining <= timedelta(0):
                return minute_end + remaining
            minute = minute_end

    def _count_day_fraction(self, start: datetime, amount: Fraction) -> datetime | None:
        self._open_day(start)  # sets `provisional`; every working day of this calendar has the same hours
        micros = Fraction(sum(closing - opening for opening, closing in self.hours) * 60 * 1_000_000) * amount
        return self._count_working_time(start, timedelta(microseconds=ceil(micros)))

    def _open_day(self, start: datetime) -> date:
        """The first working day that closes after `start`."""
        day = self._shift_day(start)
        while not (self.is_working_day(day) and start < self._close(day)):
            day += ONE_DAY
        return day

    def _shift_day(self, at: datetime) -> date:
        """The date on which the shift of an instant began, else the instant's own date."""
        yesterday = at.date() - ONE_DAY
        return yesterday if at < self._close(yesterday) and self.is_working_day(yesterday) else at.date()

    def _count_working_days(self, start: datetime, amount: int) -> datetime | None:
        day = self._shift_day(start) + ONE_DAY if self.counting == "exclusive" else self._open_day(start)
        while True:
            if self.is_paused_for_good(self._close(day)) and self.is_working_day(day):
                return None
            if self.is_working_day(day) and not self.is_paused_at_day_end(self._close(day)):
                amount -= 1
            if amount == 0:
                self.nominal = day
                return self._close(day)
            day += ONE_DAY

    def _end_of_day(self, day: date) -> datetime:
        if self.day_end == "close" and self.is_working_day(day):
            return self._close(day)
        return self._midnight(day + ONE_DAY)

    def _count_days(self, start: datetime, amount: int, unit: str) -> datetime | None:
        day = start.date()
        is_inclusive = self.counting == "inclusive"
        first = day if is_inclusive else day + ONE_DAY
        if is_inclusive and self.day_end == "close" and start >= self._end_of_day(day):
            first = day = day + ONE_DAY
        if unit in ("d", "w"):
            amount *= 7 if unit == "w" else 1
        else:
            months = amount * {"mo": 1, "q": 3, "y": 12}[unit]
            amount = (self._last_day_of_months(day, months) - first).days + 1
        day = first
        while True:
            if self.is_paused_for_good(self._end_of_day(day)):
                return None
            if not self.is_paused_at_day_end(self._end_of_day(day)):
                amount -= 1
            if amount == 0:
                break
            day += ONE_DAY
        self.nominal = day
        if self.roll == "forward":
            return self._roll_forward(day)
        return self._end_of_day(day)

    def _last_day_of_months(self, day: date, months: int) -> date:
        year, month = day.year, day.month + months
        while month > 12:
            year, month = year + 1, month - 12
        if day.day > monthrange(year, month)[1]:
            return date(year, month, monthrange(year, month)[1])
        same_day = date(year, month, day.day)
        return same_day - ONE_DAY if self.counting == "inclusive" else same_day

    def _roll_forward(self, day: date) -> datetime | None:
        if self.is_working_day(day):
            return self._end_of_day(day)
        while True:
            day += ONE_DAY
            if self.is_working_day(day):
                if self.is_paused_for_good(self._end_of_day(day)):
                    return None
                if not self.is_paused_at_day_end(self._end_of_day(day)):
                    return self._end_of_day(day)

    @staticmethod
    def _midnight(day: date) -> datetime:
        return datetime.combine(day, time())

    def _close(self, day: date) -> datetime:
        return self._midnight(day) + self.hours[-1][1] * ONE_MINUTE
