"""Explains a deadline: the counted segments, pauses, extensions and rolls behind it, and what replaced the counted instant."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Final

from services.sla.domain.deadlines.calendar_pieces import WORKING_DAY_KINDS, AnyCalendar, count_duration
from services.sla.domain.deadlines.counting import (
    first_counted_day,
    first_open_rank,
    fraction_of_working_day,
    last_day_of_months,
)
from services.sla.domain.deadlines.deadline import TimeLimit, compute_due
from services.sla.domain.deadlines.explained_segments import (
    Explanation,
    day_reason,
    days_off,
    format_instant,
    hours_of_exception,
    seconds,
    working_intervals,
)
from services.sla.domain.deadlines.pauses import blocking_pause, running_intervals
from services.sla.domain.deadlines.piece_explanation import explain_pieces, piece_roll, piece_segments
from services.sla.domain.deadlines.worktime import Worktime
from shared.procedures.model.duration import Duration, DurationKind

_UNIT_BY_KIND: Final[Mapping[DurationKind, str]] = {
    "clock": "s",
    "working": "s",
    "part": "s",
    "working_days": "wd",
    "days": "d",
    "months": "d",
    "same_day": "d",
    "same_working_day": "wd",
    "date": "instant",
}


def explain_deadline(calendar: AnyCalendar, limit: TimeLimit, context: Mapping[str, object] | None = None) -> Explanation:
    """Explain a time limit; `context` (procedure, version, clause, start event …) comes first in the result.

    The amounts of `segments` add up to `total` exactly: seconds of clock or working time, or days of which each counts 1 or 0.
    Where departments with calendars of their own led one after the other, `calendars` names them and each segment its calendar.
    Raises like `compute_due`.
    """
    due, _, is_provisional = compute_due(calendar, limit)
    duration, until = limit.extended_duration()
    counted_due, nominal_day = _count_without_replacement(calendar, limit, duration)
    if isinstance(calendar, Worktime):
        worktime = calendar
        segments = _segments(worktime, limit, duration, nominal_day, counted_due)
        rolled = None if duration.kind in WORKING_DAY_KINDS else _roll(worktime, limit, nominal_day, counted_due)
    else:
        worktime = calendar.worktime_at(limit.start)
        end = _open_pause_start(limit) if counted_due is None else counted_due
        segments = piece_segments(calendar, limit, duration, end)
        rolled = piece_roll(calendar, limit, duration, counted_due)
    return {
        **(context or {}),
        **_inputs(worktime, limit, duration),
        **({} if isinstance(calendar, Worktime) else {"calendars": explain_pieces(calendar, limit.start, counted_due)}),
        "segments": segments,
        **_days_off(worktime, limit, duration, counted_due),
        "total": _total(worktime, limit, duration),
        "rolled": rolled,
        "replaced": _replacement(worktime, limit, due, until, counted_due),
        "due": _format_optional(worktime, due),
        "provisional": is_provisional,
        **({"unpublished_after": str(worktime.calendar.published_until)} if is_provisional else {}),
    }


def _days_off(worktime: Worktime, limit: TimeLimit, duration: Duration, counted_due: int | None) -> Explanation:
    """Return the days that working time passes over; whole days name their reasons in the segments."""
    if duration.kind not in ("working", "part"):
        return {}
    end = _open_pause_start(limit) if counted_due is None else counted_due
    return {"days_off": days_off(worktime, limit.start, max(limit.start, end))}


def _format_optional(worktime: Worktime, at: int | None) -> str | None:
    return None if at is None else format_instant(worktime, at)


def _inputs(worktime: Worktime, limit: TimeLimit, duration: Duration) -> Explanation:
    calendar = worktime.calendar
    return {
        "calendar": {
            "id": calendar.id,
            "version": calendar.version,
            "zone": calendar.zone.key,
            "published_until": None if calendar.published_until is None else str(calendar.published_until),
        },
        "start": format_instant(worktime, limit.start),
        "duration": str(limit.duration),
        "counted_duration": str(duration),
        "counting": limit.rule.counting,
        "roll": limit.rule.roll,
        "day_end": limit.rule.day_end,
        "pauses": [{"from": format_instant(worktime, start), "to": _format_optional(worktime, end)} for start, end in limit.pauses],
        "extensions": [
            {"by": str(extension.by)} if extension.until is None else {"until": format_instant(worktime, extension.until)}
            for extension in limit.extensions
        ],
        "unit": _UNIT_BY_KIND[duration.kind],
    }


def _count_without_replacement(calendar: AnyCalendar, limit: TimeLimit, duration: Duration) -> tuple[int | None, int | None]:
    """Return due instant and nominal day of the duration alone, before an extension or an agreed date replaces them."""
    if duration.kind == "date":
        return limit.agreed, None
    due, nominal_day, _ = count_duration(calendar, limit.start, duration, limit.rule, limit.pauses)
    return due, nominal_day


def _segments(
    worktime: Worktime, limit: TimeLimit, duration: Duration, nominal_day: int | None, counted_due: int | None
) -> list[Explanation]:
    if duration.kind == "date":
        return []
    end = _open_pause_start(limit) if counted_due is None else counted_due
    if duration.kind in ("clock", "working", "part"):
        return list(_time_segments(worktime, limit, end, is_working=duration.kind != "clock"))
    last_day = _day_of(worktime, duration, end) if nominal_day is None else nominal_day
    first_day = _day_of(worktime, duration, limit.start)
    return [_day_segment(worktime, limit, duration, day) for day in range(first_day, last_day + 1)]


def _day_of(worktime: Worktime, duration: Duration, at: int) -> int:
    """Return the day to which a duration counts an instant: a shift over midnight is one working day, but two dates."""
    return worktime.shift_day_of(at) if duration.kind in WORKING_DAY_KINDS else worktime.day_of(at)


def _open_pause_start(limit: TimeLimit) -> int:
    return limit.pauses[-1][0] if limit.pauses else limit.start


def _time_segments(worktime: Worktime, limit: TimeLimit, end: int, *, is_working: bool) -> Iterator[Explanation]:
    for running_start, running_end in running_intervals(limit.pauses, limit.start, end):
        intervals = working_intervals(worktime, running_start, running_end) if is_working else [(running_start, running_end)]
        for segment_start, segment_end in intervals:
            yield {
                "from": format_instant(worktime, segment_start),
                "to": format_instant(worktime, segment_end),
                "amount": seconds(segment_end - segment_start),
            }


def _day_segment(worktime: Worktime, limit: TimeLimit, duration: Duration, day: int) -> Explanation:
    """Explain whether one day counts, and why."""
    by_working_days = duration.kind in WORKING_DAY_KINDS
    day_start = worktime.midnight(worktime.date_of(day))
    if by_working_days and day:
        day_start = max(day_start, worktime.day_closes[day - 1])
    day_end = _day_end(worktime, limit, day, by_working_days=by_working_days)
    is_countable = not by_working_days or worktime.is_working_day(day)
    counts = is_countable and day >= _first_day_that_counts(worktime, limit, duration)
    reason = day_reason(worktime, day) if by_working_days else "calendar_day"
    if day == _day_of(worktime, duration, limit.start) and is_countable and not counts:
        reason = "start_day" if limit.rule.counting == "exclusive" and duration.pausable else "after_close"
    if counts and duration.pausable and blocking_pause(limit.pauses, day_end):
        counts, reason = False, "paused"
    return {
        "day": str(worktime.date_of(day)),
        "from": format_instant(worktime, max(limit.start, day_start)),
        "to": format_instant(worktime, max(limit.start, day_end)),
        "amount": int(counts),
        "because": reason,
        **(hours_of_exception(worktime, day) if by_working_days and is_countable else {}),
        **({"guessed": True} if by_working_days and worktime.has_unpublished_day(day, day) else {}),
    }


def _first_day_that_counts(worktime: Worktime, limit: TimeLimit, duration: Duration) -> int:
    if duration.kind == "same_day":
        return worktime.day_of(limit.start)
    if duration.kind == "same_working_day" or (duration.kind == "working_days" and limit.rule.counting == "inclusive"):
        return worktime.work_days[first_open_rank(worktime, limit.start)]
    if duration.kind == "working_days":
        return worktime.shift_day_of(limit.start) + 1
    return first_counted_day(worktime, limit.start, limit.rule)


def _day_end(worktime: Worktime, limit: TimeLimit, day: int, *, by_working_days: bool) -> int:
    if by_working_days or limit.rule.day_end == "close":
        return worktime.day_closes[day]
    return worktime.day_ends[day]


def _total(worktime: Worktime, limit: TimeLimit, duration: Duration) -> float | None:
    """Return the sum that the segments must reach, in their unit; None for a `date`."""
    match duration.kind:
        case "clock" | "working":
            return seconds(duration.size)
        case "part":
            return seconds(fraction_of_working_day(worktime, limit.start, duration))
        case "months":
            first_day = first_counted_day(worktime, limit.start, limit.rule)
            return last_day_of_months(worktime, first_day, duration.size, limit.rule) - first_day + 1
        case "date":
            return None
        case _:
            return duration.size


def _roll(worktime: Worktime, limit: TimeLimit, nominal_day: int | None, counted_due: int | None) -> Explanation | None:
    """Explain how the nominal day moved to a working day, and over which days; None if it did not move."""
    if nominal_day is None or counted_due is None:
        return None
    rolled_day = bisect_left(worktime.day_ends if limit.rule.day_end == "midnight" else worktime.day_closes, counted_due)
    if rolled_day <= nominal_day:
        return None
    return {
        "from": str(worktime.date_of(nominal_day)),
        "to": str(worktime.date_of(rolled_day)),
        "over": [_rolled_over_day(worktime, limit, day) for day in range(nominal_day, rolled_day)],
    }


def _rolled_over_day(worktime: Worktime, limit: TimeLimit, day: int) -> Explanation:
    is_paused = worktime.is_working_day(day) and blocking_pause(limit.pauses, _day_end(worktime, limit, day, by_working_days=False))
    return {"day": str(worktime.date_of(day)), "because": "paused" if is_paused else day_reason(worktime, day)}


def _replacement(worktime: Worktime, limit: TimeLimit, due: int | None, until: int | None, counted_due: int | None) -> Explanation | None:
    """Name what replaced the counted instant: an extension until an instant, or the agreed date; None if nothing did."""
    if limit.duration.kind == "date":
        return {"by": _replaced_by(due, until), "counted": None}
    if due == counted_due:
        return None
    return {"by": _replaced_by(due, until), "counted": _format_optional(worktime, counted_due)}


def _replaced_by(due: int | None, until: int | None) -> str:
    return "extension" if until is not None and due == until else "agreed"
