"""Counts deadlines by calendars that follow one another, minute by minute and day end by day end, without code of the engine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from math import ceil

from tests.support.deadlines.minute_counter import NIGHT_HOURS, OFFICE_HOURS, ONE_DAY, ONE_MINUTE, LocalPause, MinuteCounter

DUTY_HOURS = ((8 * 60, 20 * 60),)


class DutyCounter(MinuteCounter):
    """Works every day of the year."""

    def is_working_day(self, day: date) -> bool:
        return day.year > 0


def piece_calendars(counting: str, roll: str, day_end: str, pauses: Sequence[LocalPause]) -> dict[str, MinuteCounter]:
    """The counters of an office, of night shifts and of a department that works every day, by name."""
    return {
        "office": MinuteCounter(counting, roll, day_end, pauses, OFFICE_HOURS),
        "night": MinuteCounter(counting, roll, day_end, pauses, NIGHT_HOURS),
        "duty": DutyCounter(counting, roll, day_end, pauses, DUTY_HOURS),
    }


@dataclass
class PieceCounter:
    """Counts one deadline; `leads` are naive local instants with the counter that counts from then on, the first long ago."""

    leads: Sequence[tuple[datetime, MinuteCounter]]
    counted: list[date]

    def due(self, start: datetime, duration: str) -> datetime | None:
        """Return the due instant as a naive local time; None while an open pause holds it."""
        first = self._lead_from(start)
        if duration == "same_day":
            return first.due(start, duration)
        match = re.fullmatch(r"([0-9.]+)([a-z]+)", duration)
        if duration == "same_working_day":
            return self._count_ends(start, first._shift_day(start), 1, working_days=True, paused=False)
        assert match, duration
        amount, unit = Fraction(match[1]), match[2]
        if unit in ("m", "h"):
            return first.due(start, duration)
        if unit == "wh":
            return self._count_minutes(start, timedelta(hours=int(amount)))
        if unit == "wd" and amount < 1:
            minutes = sum(closing - opening for opening, closing in first.hours)
            return self._count_minutes(start, timedelta(microseconds=ceil(minutes * 60_000_000 * amount)))
        if unit == "wd":
            first_day = first._shift_day(start) + (ONE_DAY if first.counting == "exclusive" else timedelta(0))
            return self._count_ends(start, first_day, int(amount), working_days=True)
        return self._count_ends(start, *self._day_range(first, start, int(amount), unit), working_days=False)

    @staticmethod
    def _day_range(first: MinuteCounter, start: datetime, amount: int, unit: str) -> tuple[date, int]:
        first_day = start.date() if first.counting == "inclusive" else start.date() + ONE_DAY
        base = start.date()
        if first.counting == "inclusive" and first.day_end == "close" and start >= first._end_of_day(base):
            first_day = base = base + ONE_DAY
        if unit in ("d", "w"):
            return first_day, amount * (7 if unit == "w" else 1)
        months = amount * {"mo": 1, "q": 3, "y": 12}[unit]
        return first_day, (first._last_day_of_months(base, months) - first_day).days + 1

    def _lead_from(self, at: datetime) -> MinuteCounter:
        return [counter for since, counter in self.leads if since <= at][-1]

    def _lead_before(self, at: datetime) -> MinuteCounter:
        return [counter for since, counter in self.leads if since < at][-1]

    def _count_minutes(self, minute: datetime, remaining: timedelta) -> datetime | None:
        while True:
            minute_end = minute.replace(second=0, microsecond=0) + ONE_MINUTE
            lead = self._lead_from(minute)
            if lead.is_paused_for_good(minute_end):
                return None
            if not lead.is_paused(minute) and lead._is_working_minute(minute):
                remaining -= minute_end - minute
            if remaining <= timedelta(0):
                return minute_end + remaining
            minute = minute_end

    def _ends(self, start: datetime, *, working_days: bool) -> Iterator[tuple[datetime, date, MinuteCounter]]:
        """Every instant after the start at which a day of the present lead ends, with that day."""
        midnight = datetime.combine(start.date(), time())
        while True:
            for hour in (0, 6, 18, 20):
                at = midnight + timedelta(hours=hour)
                if at <= start:
                    continue
                lead = self._lead_before(at)
                for day in (at.date() - ONE_DAY, at.date()):
                    if working_days and not lead.is_working_day(day):
                        continue
                    if at == (lead._close(day) if working_days else lead._end_of_day(day)):
                        yield at, day, lead
            midnight += ONE_DAY

    def _count_ends(self, start: datetime, first: date, amount: int, *, working_days: bool, paused: bool = True) -> datetime | None:
        ends = self._ends(start, working_days=working_days)
        for at, day, lead in ends:
            if day < first or day in self.counted:
                continue
            if paused and lead.is_paused_for_good(at):
                return None
            if not (paused and lead.is_paused_at_day_end(at)):
                self.counted.append(day)
            if len(self.counted) == amount:
                if working_days or lead.roll == "none" or lead.is_working_day(day):
                    return at
                break
        for at, day, lead in ends:
            if day > self.counted[-1] and lead.is_working_day(day):
                if lead.is_paused_for_good(at):
                    return None
                if not lead.is_paused_at_day_end(at):
                    return at
        return None
