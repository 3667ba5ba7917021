"""Compiles a calendar into sorted tables of UTC microseconds, so that working time and working days are looked up, not computed."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol
from weakref import WeakKeyDictionary

from shared.contracts.instants import FIRST_DATE, LAST_DATE
from shared.procedures.calendars.calendar import Calendar, MinuteInterval

MICROSECOND: Final = timedelta(microseconds=1)
MICROS_PER_DAY: Final = 86_400_000_000
MICROS_PER_MINUTE: Final = 60_000_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_SECONDS_PER_DAY: Final = 86_400
_FIRST_ORDINAL: Final = FIRST_DATE.toordinal()
_FIRST_DAY_SINCE_EPOCH: Final = _FIRST_ORDINAL - EPOCH.toordinal()
_DAY_COUNT: Final = LAST_DATE.toordinal() - _FIRST_ORDINAL + 1


def to_micros(instant: datetime) -> int:
    """Convert an aware datetime to microseconds since 1970 in UTC."""
    since_epoch = instant - EPOCH
    return (since_epoch.days * _SECONDS_PER_DAY + since_epoch.seconds) * 1_000_000 + since_epoch.microseconds


def from_micros(micros: int) -> datetime:
    """Convert microseconds since 1970 to a datetime in UTC."""
    return EPOCH + timedelta(microseconds=micros)


class WorkingHours(Protocol):
    """Working time of one calendar, or of several one after the other."""

    start: int

    def worked_until(self, at: int, /) -> int:
        """Return the working time up to an instant."""

    def earliest_instant(self, worked: int, /) -> int:
        """Return the first instant by which so much was worked."""

    def latest_instant(self, worked: int, /) -> int:
        """Return the last instant by which no more was worked."""


class Worktime:
    """The tables of one calendar, from FIRST_DATE to LAST_DATE.

    An instant is UTC microseconds since 1970. A day is the number of days since FIRST_DATE, a rank the number of working days since
    then. A lookup beyond the last row of a table raises IndexError.

    A wall-clock time that summer time skips is read with the offset before the change, one that occurs twice as the first of the
    two (`fold=0`), so every table is sorted.
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
        self.day_ends = _int_table(self._to_utc(day * MICROS_PER_DAY) for day in range(1, _DAY_COUNT + 1))
        """24:00 of each day."""
        self.end = self.day_ends[-1]
        self._build_month_tables()
        self._build_working_tables()
        until = calendar.published_until
        self.last_published_day = _DAY_COUNT if until is None else _to_day(until)
        """The last day whose public schedule is known; _DAY_COUNT if the calendar follows none."""
        self.published_later_days = sorted(day for day in map(_to_day, calendar.days) if day > self.last_published_day)
        """Days after it that the calendar lists by themselves."""

    @staticmethod
    def for_calendar(calendar: Calendar) -> Worktime:
        """Return the tables of a calendar, which are built once per calendar object (some 70 ms)."""
        worktime = _WORKTIME_BY_CALENDAR.get(calendar)
        if worktime is None:
            worktime = _WORKTIME_BY_CALENDAR[calendar] = Worktime(calendar)
        return worktime

    def to_datetime(self, at: int) -> datetime:
        """Convert an instant to a datetime in the calendar's zone."""
        if at >= self.last_offset_from:  # the only branch for zones without summer time, such as Asia/Shanghai
            return self.last_offset_midnight + timedelta(0, 0, at)
        index = bisect_right(self.offset_changes, at)
        wall = at + self.offsets[index]
        shown = self.first_midnight + timedelta(0, 0, wall)
        is_second_reading = index > 0 and wall < self.wall_offset_changes[index - 1]
        return shown.replace(fold=1) if is_second_reading else shown

    def date_of(self, day: int) -> date:
        """Convert a day to its date."""
        return date.fromordinal(_FIRST_ORDINAL + day)

    def day_of(self, at: int) -> int:
        """Return the day of an instant by the zone's wall clock."""
        return (at + self.offsets[bisect_right(self.offset_changes, at)]) // MICROS_PER_DAY

    def shift_day_of(self, at: int) -> int:
        """Return the day to which an instant belongs for working days: until a shift over midnight closes, the day of that shift."""
        day = self.day_of(at)
        return day - 1 if day and at < self.day_closes[day - 1] else day

    def midnight(self, day: date) -> int:
        """Return the instant at which a date begins."""
        return self._to_utc(_to_day(day) * MICROS_PER_DAY)

    def interval_at(self, at: int) -> int:
        """Return the index of the last working interval that starts at or before an instant; 0 if there is none."""
        return max(0, bisect_right(self.interval_starts, at) - 1)

    def worked_until(self, at: int) -> int:
        """Return the working time from FIRST_DATE up to an instant, in microseconds."""
        index = bisect_right(self.interval_starts, at) - 1
        if index < 0:
            return 0
        return self.worked_before[index] + min(at, self.interval_ends[index]) - self.interval_starts[index]

    def earliest_instant(self, worked: int) -> int:
        """Return the first instant by which `worked` microseconds have passed: a closing time, not the opening after it."""
        index = bisect_left(self.worked_before, worked) - 1
        return self.interval_starts[index] + worked - self.worked_before[index]

    def latest_instant(self, worked: int) -> int:
        """Return the last instant by which no more than `worked` microseconds have passed: an opening, not the close before it."""
        index = bisect_right(self.worked_before, worked) - 1
        return self.interval_starts[index] + worked - self.worked_before[index]

    def is_working_day(self, day: int) -> bool:
        """Whether a day is a working day."""
        return self.work_days[self.work_days_before[day]] == day

    def has_unpublished_day(self, first: int, last: int) -> bool:
        """Whether a day from `first` to `last` has no published schedule, so that only its weekday and statutory holidays decide."""
        if last <= self.last_published_day:
            return False
        first = max(first, self.last_published_day + 1)
        listed = bisect_right(self.published_later_days, last) - bisect_left(self.published_later_days, first)
        return listed < last - first + 1

    def _build_offset_tables(self) -> None:
        """Find the zone's changes of UTC offset, looking once a day.

        `offset_changes[i]` is the instant of the i-th change, `wall_offset_changes[i]` the wall-clock time (microseconds since
        FIRST_DATE 00:00) from which the new offset applies. `offsets[i]`, added to an instant before the i-th change, gives its
        wall-clock time.
        """
        base = _FIRST_DAY_SINCE_EPOCH * MICROS_PER_DAY
        low = (_FIRST_DAY_SINCE_EPOCH - 2) * _SECONDS_PER_DAY
        offset = _utc_offset(low, self.calendar)
        self.offset_changes: list[int] = []
        self.wall_offset_changes: list[int] = []
        self.offsets = [offset - base]
        for high in range(low + _SECONDS_PER_DAY, low + (_DAY_COUNT + 4) * _SECONDS_PER_DAY, _SECONDS_PER_DAY):
            new_offset = _utc_offset(high, self.calendar)
            if new_offset == offset:
                continue
            change = _offset_change_between(high - _SECONDS_PER_DAY, high, self.calendar) * 1_000_000
            self.offset_changes.append(change)
            # The larger offset ends both the hour that is skipped in spring and the first reading of the hour repeated in autumn.
            self.wall_offset_changes.append(change + max(offset, new_offset) - base)
            self.offsets.append(new_offset - base)
            offset = new_offset
        # One day after the last change no wall-clock time is ambiguous, so `to_datetime` may add the offset without a lookup.
        self.last_offset_from = self.offset_changes[-1] + MICROS_PER_DAY if self.offset_changes else low * 1_000_000
        self.last_offset_midnight = self.first_midnight + timedelta(microseconds=self.offsets[-1])

    def _to_utc(self, wall: int) -> int:
        """Convert a wall-clock time, in microseconds since FIRST_DATE 00:00, to an instant."""
        return wall - self.offsets[bisect_right(self.wall_offset_changes, wall)]

    def _build_month_tables(self) -> None:
        """Number the months from FIRST_DATE: the month of each day, and the first day of each month and of the one after the last."""
        self.month_of_day: list[int] = []
        self.month_first_days: list[int] = []
        for month in range((LAST_DATE.year - FIRST_DATE.year + 1) * 12):
            self.month_first_days.append(len(self.month_of_day))
            self.month_of_day += [month] * monthrange(FIRST_DATE.year + month // 12, month % 12 + 1)[1]
        self.month_first_days.append(len(self.month_of_day))

    def _build_working_tables(self) -> None:
        """List working days and intervals with their closing times, lengths, and the working time before each of them."""
        self.work_days_before = _int_table()
        """Per day: the rank of the first working day at or after it."""
        self.work_days = _int_table()
        self.work_day_closes = _int_table()
        self.work_day_lengths = _int_table()
        self.day_closes = self.day_ends[:]
        """Per day: its close of business (on the next date for a shift over midnight), or 24:00 if it is not worked."""
        self.interval_starts = _int_table()
        self.interval_ends = _int_table()
        self.worked_before = _int_table([0])
        exceptions: dict[int, tuple[MinuteInterval, ...]] = dict.fromkeys(map(_to_day, self.calendar.statutory_days), ())
        # Last: a dated entry of the calendar overrides a statutory holiday.
        exceptions.update((_to_day(day), intervals) for day, intervals in self.calendar.days.items())
        for day in range(_DAY_COUNT):
            self.work_days_before.append(len(self.work_days))
            intervals = exceptions.get(day)
            if intervals is None:
                intervals = self.calendar.hours[(FIRST_DATE.weekday() + day) % 7]
            if intervals:
                self._add_working_day(day, intervals)

    def _add_working_day(self, day: int, intervals: tuple[MinuteInterval, ...]) -> None:
        worked_before_day = self.worked_before[-1]
        for opening, closing in intervals:
            start = self._to_utc(day * MICROS_PER_DAY + opening * MICROS_PER_MINUTE)
            end = self._to_utc(day * MICROS_PER_DAY + closing * MICROS_PER_MINUTE)
            if end > self.end:  # the last shift closes after the last instant: its time counts up to there, its day never ends
                self._add_interval(start, self.end)
                return
            if end > start:  # the start of summer time can skip a whole interval
                self._add_interval(start, end)
        self.work_days.append(day)
        self.work_day_closes.append(end)
        self.day_closes[day] = end
        self.work_day_lengths.append(self.worked_before[-1] - worked_before_day)

    def _add_interval(self, start: int, end: int) -> None:
        self.interval_starts.append(start)
        self.interval_ends.append(end)
        self.worked_before.append(self.worked_before[-1] + end - start)


_WORKTIME_BY_CALENDAR: WeakKeyDictionary[Calendar, Worktime] = WeakKeyDictionary()


def _int_table(values: Iterable[int] = ()) -> array[int]:
    # An array takes a fifth of a list's memory, and an organisation may have a calendar for each department.
    return array("q", values)


def _to_day(day: date) -> int:
    return day.toordinal() - _FIRST_ORDINAL


def _utc_offset(second: int, calendar: Calendar) -> int:
    offset = datetime.fromtimestamp(second, calendar.zone).utcoffset()
    return 0 if offset is None else offset // MICROSECOND


def _offset_change_between(low: int, high: int, calendar: Calendar) -> int:
    """Return the second at which the offset changes between two seconds."""
    offset_before = _utc_offset(low, calendar)
    while high - low > 1:
        middle = (low + high) // 2
        if _utc_offset(middle, calendar) == offset_before:
            low = middle
        else:
            high = middle
    return high
