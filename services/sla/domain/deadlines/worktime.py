"""A calendar compiled into tables of instants, so that working time and working days are counted by looking up, to the microsecond."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from typing import Final
from weakref import WeakKeyDictionary

from shared.procedures.calendars.calendar import Calendar

MICRO: Final = timedelta(microseconds=1)
DAY: Final = 86_400_000_000
MINUTE: Final = 60_000_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_DATE: Final = date(2000, 1, 1)
LAST_DATE: Final = date(2099, 12, 31)

_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_FIRST_ORDINAL: Final = FIRST_DATE.toordinal()
_FIRST_DAY: Final = _FIRST_ORDINAL - _EPOCH_ORDINAL
_DAYS: Final = LAST_DATE.toordinal() - _FIRST_ORDINAL + 1


def micros(instant: datetime) -> int:
    """Give an aware instant as microseconds since 1970 in UTC."""
    since = instant - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def moment(at: int) -> datetime:
    """Give microseconds since 1970 as an instant in UTC."""
    return EPOCH + timedelta(microseconds=at)


class Worktime:
    """The tables of one calendar. Days are indexes from FIRST_DATE on, working days are ranks, instants are UTC microseconds.

    A wall-clock time that does not exist is read with the offset before the jump, one that comes twice as the first
    (what `fold=0` means), so every table below is a plain sorted list.
    """

    __slots__ = (
        "base",
        "before",
        "calendar",
        "closes",
        "dated_closes",
        "day_ends",
        "earned",
        "horizon",
        "hours",
        "known_later",
        "latest",
        "month_begins",
        "months",
        "offsets",
        "opens",
        "settled",
        "settled_base",
        "shifts",
        "shuts",
        "start",
        "wall_shifts",
        "work_days",
    )

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self.base = datetime(FIRST_DATE.year, FIRST_DATE.month, FIRST_DATE.day, tzinfo=calendar.zone)
        self._read_zone()
        self.start = self._utc(0)
        self.day_ends = [self._utc(index * DAY) for index in range(1, _DAYS + 1)]  # 24:00 of each day
        self.latest = self.day_ends[-1]
        self._read_months()
        self._read_hours()
        until = calendar.published_until
        self.horizon = _DAYS if until is None else until.toordinal() - _FIRST_ORDINAL  # last day whose schedule is known
        self.known_later = sorted(index for day in calendar.days if (index := day.toordinal() - _FIRST_ORDINAL) > self.horizon)
        for name in _LONG:  # a fifth of the memory: an organisation may have a calendar for each department
            setattr(self, name, array("q", getattr(self, name)))

    @staticmethod
    def of(calendar: Calendar) -> Worktime:
        """Give the tables of a calendar, compiled once for each calendar object (some 60 ms)."""
        found = _COMPILED.get(calendar)
        if found is None:
            found = _COMPILED[calendar] = Worktime(calendar)
        return found

    def instant(self, at: int) -> datetime:
        """Give UTC microseconds as an instant in the calendar's zone."""
        if at >= self.settled:  # most zones of most users
            return self.settled_base + timedelta(0, 0, at)
        index = bisect_right(self.shifts, at)
        wall = at + self.offsets[index]
        found = self.base + timedelta(0, 0, wall)
        again = index > 0 and wall < self.wall_shifts[index - 1]  # the clock shows this time for the second time
        return found.replace(fold=1) if again else found

    def date_of(self, index: int) -> date:
        """Give the date of a day index."""
        return date.fromordinal(_FIRST_ORDINAL + index)

    def day(self, at: int) -> int:
        """Give the day index of an instant, by the zone's wall clock."""
        return (at + self.offsets[bisect_right(self.shifts, at)]) // DAY

    def midnight(self, day: date) -> int:
        """Give the instant at which a date begins."""
        return self._utc((day.toordinal() - _FIRST_ORDINAL) * DAY)

    def interval(self, at: int) -> int:
        """Give the index of the working interval under way at an instant, or of the last one before it."""
        return max(0, bisect_right(self.opens, at) - 1)

    def worked(self, at: int) -> int:
        """Give the working time from FIRST_DATE up to an instant."""
        index = bisect_right(self.opens, at) - 1
        if index < 0:
            return 0
        return self.earned[index] + min(at, self.shuts[index]) - self.opens[index]

    def spent(self, total: int) -> int:
        """Give the earliest instant by which that much working time has passed: a closing time rather than the next opening."""
        index = bisect_left(self.earned, total) - 1
        return self.opens[index] + total - self.earned[index]

    def spent_latest(self, total: int) -> int:
        """Give the latest instant at which no more working time has passed: an opening rather than the closing before it."""
        index = bisect_right(self.earned, total) - 1
        return self.opens[index] + total - self.earned[index]

    def is_worked(self, day: int) -> bool:
        """Say whether a day (an index) is a working day."""
        return self.work_days[self.before[day]] == day

    def unknown(self, first: int, last: int) -> bool:
        """Say whether a day from `first` to `last` has to be judged by its weekday alone, because its schedule is not published."""
        if last <= self.horizon:
            return False
        first = max(first, self.horizon + 1)
        known = bisect_right(self.known_later, last) - bisect_left(self.known_later, first)
        return known < last - first + 1

    def _read_zone(self) -> None:
        """List the zone's changes of offset: `shifts` in UTC, `wall_shifts` by the wall clock, `offsets` before and after each."""
        base = _FIRST_DAY * DAY
        self.shifts: list[int] = []
        self.wall_shifts: list[int] = []
        low = (_FIRST_DAY - 2) * 86_400
        offset = _offset(low, self.calendar)
        self.offsets = [offset - base]
        for high in range(low + 86_400, low + (_DAYS + 4) * 86_400, 86_400):
            after = _offset(high, self.calendar)
            if after != offset:
                shift = _shift(high - 86_400, high, self.calendar) * 1_000_000
                self.shifts.append(shift)
                self.wall_shifts.append(shift + max(offset, after) - base)
                self.offsets.append(after - base)
                offset = after
        # A day after its last change of offset a zone's wall clock is a sum.
        self.settled = self.shifts[-1] + DAY if self.shifts else low * 1_000_000
        self.settled_base = self.base + timedelta(0, 0, self.offsets[-1])

    def _utc(self, wall: int) -> int:
        """Give the instant of a wall-clock time, in microseconds since FIRST_DATE 00:00."""
        return wall - self.offsets[bisect_right(self.wall_shifts, wall)]

    def _read_months(self) -> None:
        """Number the months from FIRST_DATE: `months` of each day, `month_begins` the first day of each, and of the one after the last."""
        self.months: list[int] = []
        self.month_begins: list[int] = []
        for number in range((LAST_DATE.year - FIRST_DATE.year + 1) * 12):
            self.month_begins.append(len(self.months))
            self.months += [number] * monthrange(FIRST_DATE.year + number // 12, number % 12 + 1)[1]
        self.month_begins.append(len(self.months))

    def _read_hours(self) -> None:
        """Lay out working days and intervals: ranks, closing times, and the working time earned before each opening."""
        self.before: list[int] = []  # working days before each day
        self.work_days: list[int] = []
        self.closes: list[int] = []  # of each working day
        self.dated_closes = self.day_ends.copy()  # of each day; 24:00 of a day that is not worked
        self.hours: list[int] = []  # working time of each working day
        self.opens: list[int] = []
        self.shuts: list[int] = []
        self.earned = [0]
        week, days = self.calendar.hours, self.calendar.days
        monday = FIRST_DATE.weekday()
        exceptions = {day.toordinal() - _FIRST_ORDINAL: intervals for day, intervals in days.items()}
        for index in range(_DAYS):
            self.before.append(len(self.work_days))
            intervals = exceptions.get(index)
            if intervals is None:
                intervals = week[(monday + index) % 7]
            if intervals:
                self._work(index, intervals)

    def _work(self, index: int, intervals: tuple[tuple[int, int], ...]) -> None:
        begun = self.earned[-1]
        for opens, shuts in intervals:
            start, end = self._utc(index * DAY + opens * MINUTE), self._utc(index * DAY + shuts * MINUTE)
            if end > start:  # summer time can swallow an interval
                self.opens.append(start)
                self.shuts.append(end)
                self.earned.append(self.earned[-1] + end - start)
        self.work_days.append(index)
        self.closes.append(end)
        self.dated_closes[index] = end
        self.hours.append(self.earned[-1] - begun)


_LONG: Final = ("before", "closes", "dated_closes", "day_ends", "earned", "hours", "opens", "shuts", "work_days")
_COMPILED: WeakKeyDictionary[Calendar, Worktime] = WeakKeyDictionary()


def _offset(second: int, calendar: Calendar) -> int:
    found = datetime.fromtimestamp(second, calendar.zone).utcoffset()
    return 0 if found is None else found // MICRO


def _shift(low: int, high: int, calendar: Calendar) -> int:
    """Find the second at which the offset changes between two instants."""
    before = _offset(low, calendar)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(middle, calendar) == before:
            low = middle
        else:
            high = middle
    return high
