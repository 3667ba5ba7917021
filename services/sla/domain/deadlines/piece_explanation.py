"""The segments of a deadline that was counted by several calendars one after the other; each names its calendar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile

from services.sla.domain.deadlines.calendar_pieces import (
    WORKING_DAY_KINDS,
    CalendarPieces,
    DayEnd,
    count_duration,
    counted_day_range,
)
from services.sla.domain.deadlines.counting import CountingRule
from services.sla.domain.deadlines.deadline import TimeLimit
from services.sla.domain.deadlines.explained_segments import Explanation, day_reason, format_instant, seconds, working_intervals
from services.sla.domain.deadlines.pauses import blocking_pause, running_intervals
from services.sla.domain.deadlines.worktime import Worktime
from shared.procedures.model.duration import Duration

_BY_CLOSE = CountingRule(day_end="close")


def explain_pieces(calendar: CalendarPieces, start: int, due: int | None) -> list[Explanation]:
    """Name the calendars that counted between a start and a due instant; the last has no end while the due instant is open."""
    pieces = list(calendar.between(start, calendar.end if due is None else due))
    return [
        {
            "from": format_instant(calendar.first, piece.start),
            "to": None if due is None and piece is pieces[-1] else format_instant(calendar.first, piece.end),
            "id": piece.worktime.calendar.id,
            "version": piece.worktime.calendar.version,
            "zone": piece.worktime.calendar.zone.key,
        }
        for piece in pieces
    ]


def piece_segments(calendar: CalendarPieces, limit: TimeLimit, duration: Duration, end: int) -> list[Explanation]:
    """Return the counted segments up to an instant: stretches of time, or the days one by one."""
    if duration.kind == "date":
        return []
    if duration.kind in ("clock", "working", "part"):
        return list(_time_segments(calendar, limit, end, is_working=duration.kind != "clock"))
    return list(_day_segments(calendar, limit, duration, end))


def piece_roll(calendar: CalendarPieces, limit: TimeLimit, duration: Duration, due: int | None) -> Explanation | None:
    """Explain how the last day moved to a working day, and over which days; None if it did not move."""
    if due is None or duration.kind not in ("days", "months"):
        return None
    unrolled, _, _ = count_duration(calendar, limit.start, duration, replace(limit.rule, roll="none"), limit.pauses)
    if unrolled is None or unrolled == due:
        return None
    ends = calendar.day_ends_after(unrolled - 1, limit.rule, working_days=False)
    days = list(takewhile(lambda day: day.end <= due, ends))
    return {
        "from": str(days[0].worktime.date_of(days[0].day)),
        "to": str(days[-1].worktime.date_of(days[-1].day)),
        "over": [
            {"day": str(day.worktime.date_of(day.day)), "because": _roll_reason(limit, day), "calendar": day.worktime.calendar.id}
            for day in days[:-1]
        ],
    }


def _roll_reason(limit: TimeLimit, day: DayEnd) -> str:
    is_paused = day.worktime.is_working_day(day.day) and blocking_pause(limit.pauses, day.end)
    return "paused" if is_paused else day_reason(day.worktime, day.day)


def _time_segments(calendar: CalendarPieces, limit: TimeLimit, end: int, *, is_working: bool) -> Iterator[Explanation]:
    for running_start, running_end in running_intervals(limit.pauses, limit.start, end):
        for piece in calendar.between(running_start, running_end):
            whole = [(piece.start, piece.end)]
            for start, stop in working_intervals(piece.worktime, piece.start, piece.end) if is_working else whole:
                yield {
                    "from": format_instant(calendar.first, start),
                    "to": format_instant(calendar.first, stop),
                    "amount": seconds(stop - start),
                    "calendar": piece.worktime.calendar.id,
                }


def _day_segments(calendar: CalendarPieces, limit: TimeLimit, duration: Duration, end: int) -> Iterator[Explanation]:
    by_working_days = duration.kind in WORKING_DAY_KINDS
    first, remaining = counted_day_range(calendar.worktime_at(limit.start), limit.start, duration, limit.rule)
    start_worktime = calendar.worktime_at(limit.start)
    next_day = start_worktime.shift_day_of(limit.start) if by_working_days else start_worktime.day_of(limit.start)
    next_counted, begin = first, limit.start
    start_reason = "start_day" if limit.rule.counting == "exclusive" and duration.pausable else "after_close"
    rule = _BY_CLOSE if by_working_days else CountingRule() if duration.kind == "same_day" else limit.rule
    for day in calendar.day_ends_after(limit.start, rule, working_days=False):
        if remaining == 0 or day.end > end:
            return
        for omitted in range(next_day, day.day):
            omitted_because = start_reason if omitted < first else "lead_changed"
            yield _day_segment(calendar.first, DayEnd(omitted, begin, day.worktime), begin, 0, omitted_because)
        reason = _reason_not_counted(limit, duration, day, first, next_counted)
        if reason is None:
            remaining, next_counted = remaining - 1, day.day + 1
        shown = reason or (day_reason(day.worktime, day.day) if by_working_days else "calendar_day")
        yield _day_segment(calendar.first, day, begin, int(reason is None), shown)
        next_day, begin = max(next_day, day.day + 1), day.end


def _reason_not_counted(limit: TimeLimit, duration: Duration, day: DayEnd, first: int, next_counted: int) -> str | None:
    """Return why a day does not count; None if it does."""
    if duration.kind in WORKING_DAY_KINDS and not day.worktime.is_working_day(day.day):
        return day_reason(day.worktime, day.day)
    if day.day < first:
        return "start_day"
    if day.day < next_counted:
        return "counted_before"
    return "paused" if duration.pausable and blocking_pause(limit.pauses, day.end) else None


def _day_segment(shown_in: Worktime, day: DayEnd, begin: int, amount: int, reason: str) -> Explanation:
    return {
        "day": str(day.worktime.date_of(day.day)),
        "from": format_instant(shown_in, begin),
        "to": format_instant(shown_in, day.end),
        "amount": amount,
        "because": reason,
        "calendar": day.worktime.calendar.id,
    }
