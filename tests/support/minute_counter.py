"""A slow counter of deadlines, minute by minute and day by day, written from the text of the rules alone.

It shares nothing with the engine: its own table of public holidays (the notices for 2024 to 2026), naive local times, no index.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from fractions import Fraction

CHINA = timezone(timedelta(hours=8))
HORIZON = date(2026, 12, 31)
ONE_DAY = timedelta(days=1)
ONE_MINUTE = timedelta(minutes=1)
HOURS = ((time(9), time(12)), (time(13), time(18)))
CLOSE = time(18)

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

LocalPause = tuple[datetime, datetime | None]


def _dates(written: str) -> Iterator[date]:
    for entry in written.split():
        first, _, last = entry.partition("/")
        begin = date.fromisoformat(first)
        for day in range(begin.day, int(last or begin.day) + 1):
            yield begin.replace(day=day)


DAYS_OFF = frozenset(_dates(DAYS_OFF_TEXT))
MAKE_UP_DAYS = frozenset(_dates(MAKE_UP_DAYS_TEXT))


@dataclass
class MinuteCounter:
    """One deadline, counted by hand; `guessed` is set once a day after the horizon had to be judged."""

    counting: str = "exclusive"
    roll: str = "forward"
    day_end: str = "midnight"
    pauses: Sequence[LocalPause] = ()
    provisional: bool = field(default=False, init=False)
    nominal: date | None = field(default=None, init=False)

    def due(self, start: datetime, written: str) -> datetime | None:
        """Give the due instant as a naive local time; None while an open pause holds it back."""
        if written == "same_day":
            return self._midnight(start.date() + ONE_DAY)
        if written == "same_working_day":
            return self._close(self._open_day(start))
        match = re.fullmatch(r"([0-9.]+)([a-z]+)", written)
        assert match, written
        amount, unit = Fraction(match[1]), match[2]
        if unit in ("m", "h"):
            return self._count_elapsed(start, timedelta(minutes=int(amount) * (60 if unit == "h" else 1)))
        if unit == "wh":
            return self._count_working_time(start, timedelta(hours=int(amount)))
        if unit == "wd":
            return self._part_of_working_day(start, amount) if amount < 1 else self._working_days(start, int(amount))
        return self._days(start, int(amount), unit)

    def is_working_day(self, day: date) -> bool:
        if day > HORIZON:
            self.provisional = True
            return day.weekday() < 5
        return day in MAKE_UP_DAYS or (day.weekday() < 5 and day not in DAYS_OFF)

    def is_paused(self, minute: datetime) -> bool:
        """Whether the clock stands still during the minute that begins here."""
        return any(begun <= minute and (ended is None or minute < ended) for begun, ended in self.pauses)

    def is_paused_at_day_end(self, end: datetime) -> bool:
        """Whether it stands still at a day's end: a pause then is too late to hold it, a resumption then too late to save it."""
        return any(begun < end and (ended is None or end <= ended) for begun, ended in self.pauses)

    def is_paused_forever(self, at: datetime) -> bool:
        return any(ended is None and begun < at for begun, ended in self.pauses)

    def _working_minute(self, minute: datetime) -> bool:
        return any(opens <= minute.time() < shuts for opens, shuts in HOURS) and self.is_working_day(minute.date())

    def _minutes(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        while True:
            following = start.replace(second=0, microsecond=0) + ONE_MINUTE
            yield start, following
            start = following

    def _count_elapsed(self, start: datetime, left: timedelta) -> datetime | None:
        for minute, following in self._minutes(start):
            if self.is_paused_forever(following):
                return None
            if not self.is_paused(minute):
                left -= following - minute
            if left <= timedelta(0):
                return following + left
        return None

    def _count_working_time(self, start: datetime, left: timedelta) -> datetime | None:
        for minute, following in self._minutes(start):
            if self.is_paused_forever(following):
                return None
            if not self.is_paused(minute) and self._working_minute(minute):
                left -= following - minute
            if left <= timedelta(0):
                return following + left
        return None

    def _part_of_working_day(self, start: datetime, amount: Fraction) -> datetime | None:
        self._open_day(start)  # every working day of this calendar has 8 hours
        whole = Fraction(8 * 3600 * 1_000_000) * amount
        return self._count_working_time(start, timedelta(microseconds=-(-whole.numerator // whole.denominator)))

    def _open_day(self, start: datetime) -> date:
        day = start.date()
        while not (self.is_working_day(day) and start < self._close(day)):
            day += ONE_DAY
        return day

    def _working_days(self, start: datetime, amount: int) -> datetime | None:
        day = start.date() + ONE_DAY if self.counting == "exclusive" else self._open_day(start)
        while True:
            if self.is_paused_forever(self._close(day)) and self.is_working_day(day):
                return None
            if self.is_working_day(day) and not self.is_paused_at_day_end(self._close(day)):
                amount -= 1
            if amount == 0:
                self.nominal = day
                return self._close(day)
            day += ONE_DAY

    def _end(self, day: date) -> datetime:
        if self.day_end == "close" and self.is_working_day(day):
            return self._close(day)
        return self._midnight(day + ONE_DAY)

    def _days(self, start: datetime, amount: int, unit: str) -> datetime | None:
        day = start.date()
        inclusive = self.counting == "inclusive"
        first = day if inclusive else day + ONE_DAY
        if inclusive and self.day_end == "close" and start >= self._end(day):
            first = day = day + ONE_DAY
        if unit in ("d", "w"):
            amount *= 7 if unit == "w" else 1
        else:
            months = amount * {"mo": 1, "q": 3, "y": 12}[unit]
            amount = (self._month_later(day, months) - first).days + 1
        day = first
        while True:
            if self.is_paused_forever(self._end(day)):
                return None
            if not self.is_paused_at_day_end(self._end(day)):
                amount -= 1
            if amount == 0:
                break
            day += ONE_DAY
        self.nominal = day
        if self.roll == "forward":
            return self._rolled(day)
        return self._end(day)

    def _month_later(self, day: date, months: int) -> date:
        year, month = day.year, day.month + months
        while month > 12:
            year, month = year + 1, month - 12
        if day.day > monthrange(year, month)[1]:
            return date(year, month, monthrange(year, month)[1])
        same = date(year, month, day.day)
        return same - ONE_DAY if self.counting == "inclusive" else same

    def _rolled(self, day: date) -> datetime | None:
        if self.is_working_day(day):
            return self._end(day)
        while True:
            day += ONE_DAY
            if self.is_working_day(day):
                if self.is_paused_forever(self._end(day)):
                    return None
                if not self.is_paused_at_day_end(self._end(day)):
                    return self._end(day)

    @staticmethod
    def _midnight(day: date) -> datetime:
        return datetime.combine(day, time())

    @staticmethod
    def _close(day: date) -> datetime:
        return datetime.combine(day, CLOSE)
