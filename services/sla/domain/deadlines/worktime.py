"""A calendar compiled into tables of instants, so that working time and working days are counted by looking up, to the microsecond."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from typing import Final
from weakref import WeakKeyDictionary

from shared.procedures.calendars.calendar import Calendar

MICROSECOND: Final = timedelta(microseconds=1)
MICROS_PER_DAY: Final = 86_400_000_000
MICROS_PER_MINUTE: Final = 60_000_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_DATE: Final = date(2000, 1, 1)
LAST_DATE: Final = date(2099, 12, 31)

_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_FIRST_ORDINAL: Final = FIRST_DATE.toordinal()
_FIRST_DAY: Final = _FIRST_ORDINAL - _EPOCH_ORDINAL
_DAY_COUNT: Final = LAST_DATE.toordinal() - _FIRST_ORDINAL + 1


def to_micros(instant: datetime) -> int:
    """Give an aware instant as microseconds since 1970 in UTC."""
    since = instant - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_micros(micros: int) -> datetime:
    """Give microseconds since 1970 as an instant in UTC."""
    return EPOCH + timedelta(microseconds=micros)


class Worktime:
    """The tables of one calendar. Days are indexes from FIRST_DATE on, working days are ranks, instants are UTC microseconds.

    A wall-clock time that does not exist is read with the offset before the jump, one that comes twice as the first
    (what `fold=0` means), so every table below is a plain sorted list.
    """

    __slots__ = (
        "calendar",
        "day_closes",
        "day_ends",
        "end",
        "first_midnight",
        "interval_ends",
        "interval_starts",
        "last_offset_from",
        "last_offset_midnight",
        "last_published_day",
        "month_first_days",
        "month_of_day",
        "offset_changes",
        "offsets",
        "published_later_days",
        "start",
        "wall_offset_changes",
        "work_day_closes",
        "work_day_lengths",
        "work_days",
        "work_days_before",
        "worked_before",
    )

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self.first_midnight = datetime(FIRST_DATE.year, FIRST_DATE.month, FIRST_DATE.day, tzinfo=calendar.zone)
        self._build_offset_tables()
        self.start = self._to_utc(0)
        self.day_ends = [self._to_utc(index * MICROS_PER_DAY) for index in range(1, _DAY_COUNT + 1)]  # 24:00 of each day
        self.end = self.day_ends[-1]
        self._build_month_tables()
        self._build_working_tables()
        until = calendar.published_until
        self.last_published_day = _DAY_COUNT if until is None else until.toordinal() - _FIRST_ORDINAL  # last day whose schedule is known
        self.published_later_days = sorted(
            index for day in calendar.days if (index := day.toordinal() - _FIRST_ORDINAL) > self.last_published_day
        )
        for name in _COMPACT_TABLES:  # a fifth of the memory: an organisation may have a calendar for each department
            setattr(self, name, array("q", getattr(self, name)))

    @staticmethod
    def for_calendar(calendar: Calendar) -> Worktime:
        """Give the tables of a calendar, compiled once for each calendar object (some 60 ms)."""
        found = _WORKTIME_BY_CALENDAR.get(calendar)
        if found is None:
            found = _WORKTIME_BY_CALENDAR[calendar] = Worktime(calendar)
        return found

    def to_datetime(self, at: int) -> datetime:
        """Give UTC microseconds as an instant in the calendar's zone."""
        if at >= self.last_offset_from:  # most zones of most users
            return self.last_offset_midnight + timedelta(0, 0, at)
        index = bisect_right(self.offset_changes, at)
        wall = at + self.offsets[index]
        found = self.first_midnight + timedelta(0, 0, wall)
        again = index > 0 and wall < self.wall_offset_changes[index - 1]  # the clock shows this time for the second time
        return found.replace(fold=1) if again else found

    def date_of(self, day: int) -> date:
        """Give the date of a day index."""
        return date.fromordinal(_FIRST_ORDINAL + day)

    def day_of(self, at: int) -> int:
        """Give the day index of an instant, by the zone's wall clock."""
        return (at + self.offsets[bisect_right(self.offset_changes, at)]) // MICROS_PER_DAY

    def midnight(self, day: date) -> int:
        """Give the instant at which a date begins."""
        return self._to_utc((day.toordinal() - _FIRST_ORDINAL) * MICROS_PER_DAY)

    def interval_at(self, at: int) -> int:
        """Give the index of the working interval under way at an instant, or of the last one before it."""
        return max(0, bisect_right(self.interval_starts, at) - 1)

    def worked_until(self, at: int) -> int:
        """Give the working time from FIRST_DATE up to an instant."""
        index = bisect_right(self.interval_starts, at) - 1
        if index < 0:
            return 0
        return self.worked_before[index] + min(at, self.interval_ends[index]) - self.interval_starts[index]

    def earliest_instant(self, worked: int) -> int:
        """Give the earliest instant by which that much working time has passed: a closing time rather than the next opening."""
        index = bisect_left(self.worked_before, worked) - 1
        return self.interval_starts[index] + worked - self.worked_before[index]

    def latest_instant(self, worked: int) -> int:
        """Give the latest instant at which no more working time has passed: an opening rather than the closing before it."""
        index = bisect_right(self.worked_before, worked) - 1
        return self.interval_starts[index] + worked - self.worked_before[index]

    def is_working_day(self, day: int) -> bool:
        """Say whether a day (an index) is a working day."""
        return self.work_days[self.work_days_before[day]] == day

    def has_unpublished_day(self, first: int, last: int) -> bool:
        """Say whether a day from `first` to `last` has to be judged by its weekday alone, because its schedule is not published."""
        if last <= self.last_published_day:
            return False
        first = max(first, self.last_published_day + 1)
        known = bisect_right(self.published_later_days, last) - bisect_left(self.published_later_days, first)
        return known < last - first + 1

    def _build_offset_tables(self) -> None:
        """List the zone's changes of offset: `shifts` in UTC, `wall_shifts` by the wall clock, `offsets` before and after each."""
        base = _FIRST_DAY * MICROS_PER_DAY
        self.offset_changes: list[int] = []
        self.wall_offset_changes: list[int] = []
        low = (_FIRST_DAY - 2) * 86_400
        offset = _utc_offset(low, self.calendar)
        self.offsets = [offset - base]
        for high in range(low + 86_400, low + (_DAY_COUNT + 4) * 86_400, 86_400):
            after = _utc_offset(high, self.calendar)
            if after != offset:
                shift = _offset_change_between(high - 86_400, high, self.calendar) * 1_000_000
                self.offset_changes.append(shift)
                self.wall_offset_changes.append(shift + max(offset, after) - base)
                self.offsets.append(after - base)
                offset = after
        # A day after its last change of offset a zone's wall clock is a sum.
        self.last_offset_from = self.offset_changes[-1] + MICROS_PER_DAY if self.offset_changes else low * 1_000_000
        self.last_offset_midnight = self.first_midnight + timedelta(0, 0, self.offsets[-1])

    def _to_utc(self, wall: int) -> int:
        """Give the instant of a wall-clock time, in microseconds since FIRST_DATE 00:00."""
        return wall - self.offsets[bisect_right(self.wall_offset_changes, wall)]

    def _build_month_tables(self) -> None:
        """Number the months from FIRST_DATE: `months` of each day, `month_begins` the first day of each, and of the one after the last."""
        self.month_of_day: list[int] = []
        self.month_first_days: list[int] = []
        for number in range((LAST_DATE.year - FIRST_DATE.year + 1) * 12):
            self.month_first_days.append(len(self.month_of_day))
            self.month_of_day += [number] * monthrange(FIRST_DATE.year + number // 12, number % 12 + 1)[1]
        self.month_first_days.append(len(self.month_of_day))

    def _build_working_tables(self) -> None:
        """Lay out working days and intervals: ranks, closing times, and the working time earned before each opening."""
        self.work_days_before: list[int] = []  # working days before each day
        self.work_days: list[int] = []
        self.work_day_closes: list[int] = []  # of each working day
        self.day_closes = self.day_ends.copy()  # of each day; 24:00 of a day that is not worked
        self.work_day_lengths: list[int] = []  # working time of each working day
        self.interval_starts: list[int] = []
        self.interval_ends: list[int] = []
        self.worked_before = [0]
        week, days = self.calendar.hours, self.calendar.days
        monday = FIRST_DATE.weekday()
        exceptions = {day.toordinal() - _FIRST_ORDINAL: intervals for day, intervals in days.items()}
        for index in range(_DAY_COUNT):
            self.work_days_before.append(len(self.work_days))
            intervals = exceptions.get(index)
            if intervals is None:
                intervals = week[(monday + index) % 7]
            if intervals:
                self._add_working_day(index, intervals)

    def _add_working_day(self, index: int, intervals: tuple[tuple[int, int], ...]) -> None:
        begun = self.worked_before[-1]
        for opens, shuts in intervals:
            start, end = (
                self._to_utc(index * MICROS_PER_DAY + opens * MICROS_PER_MINUTE),
                self._to_utc(index * MICROS_PER_DAY + shuts * MICROS_PER_MINUTE),
            )
            if end > start:  # summer time can swallow an interval
                self.interval_starts.append(start)
                self.interval_ends.append(end)
                self.worked_before.append(self.worked_before[-1] + end - start)
        self.work_days.append(index)
        self.work_day_closes.append(end)
        self.day_closes[index] = end
        self.work_day_lengths.append(self.worked_before[-1] - begun)


_COMPACT_TABLES: Final = (
    "work_days_before",
    "work_day_closes",
    "day_closes",
    "day_ends",
    "worked_before",
    "work_day_lengths",
    "interval_starts",
    "interval_ends",
    "work_days",
)
_WORKTIME_BY_CALENDAR: WeakKeyDictionary[Calendar, Worktime] = WeakKeyDictionary()


def _utc_offset(second: int, calendar: Calendar) -> int:
    found = datetime.fromtimestamp(second, calendar.zone).utcoffset()
    return 0 if found is None else found // MICROSECOND


def _offset_change_between(low: int, high: int, calendar: Calendar) -> int:
    """Find the second at which the offset changes between two instants."""
    before = _utc_offset(low, calendar)
    while high - low > 1:
        middle = (low + high) // 2
        if _utc_offset(middle, calendar) == before:
            low = middle
        else:
            high = middle
    return high
