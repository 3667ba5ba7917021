"""Why a deadline falls where it falls: what was counted piece by piece, what paused, lengthened, moved or replaced it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from services.sla.domain.deadlines.counting import (
    add_duration,
    first_counted_day,
    first_open_rank,
    fraction_of_working_day,
    last_day_of_months,
)
from services.sla.domain.deadlines.deadline import TimeLimit, compute_due
from services.sla.domain.deadlines.pauses import blocking_pause, running_intervals
from services.sla.domain.deadlines.worktime import Worktime
from shared.procedures.model.duration import Duration, Kind

Explanation = dict[str, Any]
"""Plain data, ready for JSON: instants as ISO 8601 in the calendar's zone, amounts in the unit given beside them."""

_SATURDAY: Final = 5
_MICROS_PER_SECOND: Final = 1_000_000
_UNIT_BY_KIND: Final[Mapping[Kind, str]] = {
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


def explain_deadline(worktime: Worktime, limit: TimeLimit, context: Mapping[str, object] | None = None) -> Explanation:
    """Explain a limit; `because` (procedure, version, clause, start event …) is put in front. Raises like `due_at`.

    `segments` add up to `total` exactly: seconds of clock or working time, or days of which each counts 1 or 0.
    """
    due, _, provisional = compute_due(worktime, limit)
    duration, until = limit.extended_duration()
    found: Explanation = {**(context or {}), **_inputs(worktime, limit, duration)}
    counted, nominal = _counted_due(worktime, limit, duration)
    end = counted if counted is not None else _open_pause_start(limit)
    found["segments"] = [] if duration.kind == "date" else _segments(worktime, limit, duration, (nominal, end))
    found["total"] = _total(worktime, limit, duration)
    found["rolled"] = _roll_explanation(worktime, limit, nominal, counted)
    found["replaced"] = _replacement(worktime, limit, (due, until, counted))
    found["due"] = None if due is None else format_instant(worktime, due)
    found["provisional"] = provisional
    if provisional:
        found["unpublished_after"] = str(worktime.calendar.published_until)
    return found


def format_instant(worktime: Worktime, at: int) -> str:
    """Write UTC microseconds as ISO 8601 in the calendar's zone."""
    return worktime.to_datetime(at).isoformat()


def _inputs(worktime: Worktime, limit: TimeLimit, duration: Duration) -> Explanation:
    calendar, until = worktime.calendar, worktime.calendar.published_until
    return {
        "calendar": {
            "id": calendar.id,
            "version": calendar.version,
            "zone": calendar.zone.key,
            "published_until": None if until is None else str(until),
        },
        "start": format_instant(worktime, limit.start),
        "duration": str(limit.duration),
        "counted_duration": str(duration),
        "counting": limit.rule.counting,
        "roll": limit.rule.roll,
        "day_end": limit.rule.day_end,
        "pauses": [
            {"from": format_instant(worktime, begun), "to": None if ended is None else format_instant(worktime, ended)} for begun, ended in limit.pauses
        ],
        "extensions": [
            {"by": str(one.by)} if one.until is None else {"until": format_instant(worktime, one.until)} for one in limit.extensions
        ],
        "unit": _UNIT_BY_KIND[duration.kind],
    }  # fmt: skip


def _counted_due(worktime: Worktime, limit: TimeLimit, duration: Duration) -> tuple[int | None, int | None]:
    """Give due instant and last day of the duration itself, before anything replaces it."""
    if duration.kind == "date":
        return limit.agreed, None
    return add_duration(worktime, limit.start, duration, limit.rule, limit.pauses)[:2]


def _open_pause_start(limit: TimeLimit) -> int:
    """Give the instant at which an open pause began to hold the deadline back."""
    return limit.pauses[-1][0] if limit.pauses else limit.start


def _segments(worktime: Worktime, limit: TimeLimit, duration: Duration, reached: tuple[int | None, int]) -> list[Explanation]:
    nominal, end = reached
    if duration.kind in ("clock", "working", "part"):
        return list(_time_segments(worktime, limit, end, working=duration.kind != "clock"))
    last = nominal if nominal is not None else worktime.day_of(end)
    return [_day_segment(worktime, limit, duration, day) for day in range(worktime.day_of(limit.start), last + 1)]


def _time_segments(worktime: Worktime, limit: TimeLimit, end: int, *, working: bool) -> Iterator[Explanation]:
    for begun, ended in running_intervals(limit.pauses, limit.start, end):
        pieces = _working_intervals(worktime, begun, ended) if working else [(begun, ended)]
        for one, other in pieces:
            yield {"from": format_instant(worktime, one), "to": format_instant(worktime, other), "amount": _seconds(other - one)}


def _working_intervals(worktime: Worktime, begun: int, ended: int) -> Iterator[tuple[int, int]]:
    index = worktime.interval_at(begun)
    while index < len(worktime.interval_starts) and worktime.interval_starts[index] < ended:
        opens, shuts = max(begun, worktime.interval_starts[index]), min(ended, worktime.interval_ends[index])
        if opens < shuts:
            yield opens, shuts
        index += 1


def _day_segment(worktime: Worktime, limit: TimeLimit, duration: Duration, day: int) -> Explanation:
    """Say of one day whether it counts, and why or why not."""
    on_work = duration.kind in ("working_days", "same_working_day")
    end = _end_of_day(worktime, limit, day, on_work=on_work)
    reason = _day_reason(worktime, day) if on_work else "calendar_day"
    counts = (not on_work or worktime.is_working_day(day)) and day >= _first_day_that_counts(worktime, limit, duration)
    if day == worktime.day_of(limit.start) and not counts and (not on_work or worktime.is_working_day(day)):
        reason = "start_day" if limit.rule.counting == "exclusive" and duration.pausable else "after_close"
    if counts and duration.pausable and blocking_pause(limit.pauses, end):
        counts, reason = False, "paused"
    found = {
        "day": str(worktime.date_of(day)),
        "from": format_instant(worktime, max(limit.start, worktime.midnight(worktime.date_of(day)))),
        "to": format_instant(worktime, max(limit.start, end)),
        "amount": int(counts),
        "because": reason,
    }
    return {**found, "guessed": True} if on_work and worktime.has_unpublished_day(day, day) else found


def _first_day_that_counts(worktime: Worktime, limit: TimeLimit, duration: Duration) -> int:
    if duration.kind == "same_day":
        return worktime.day_of(limit.start)
    if duration.kind == "same_working_day" or (duration.kind == "working_days" and limit.rule.counting == "inclusive"):
        return worktime.work_days[first_open_rank(worktime, limit.start)]
    if duration.kind == "working_days":
        return worktime.day_of(limit.start) + 1
    return first_counted_day(worktime, limit.start, limit.rule)


def _end_of_day(worktime: Worktime, limit: TimeLimit, day: int, *, on_work: bool) -> int:
    if on_work or limit.rule.day_end == "close":
        return worktime.day_closes[day]
    return worktime.day_ends[day]


def _day_reason(worktime: Worktime, day: int) -> str:
    when: date = worktime.date_of(day)
    entered, weekend = when in worktime.calendar.days, when.weekday() >= _SATURDAY
    if worktime.is_working_day(day):
        return "make_up_day" if entered and weekend else "working_day"
    return "day_off" if entered or not weekend else "weekend"


def _total(worktime: Worktime, limit: TimeLimit, duration: Duration) -> float | None:
    """Give what the segments have to add up to, in their unit; None for an agreed instant."""
    match duration.kind:
        case "clock" | "working":
            return _seconds(duration.size)
        case "part":
            return _seconds(fraction_of_working_day(worktime, limit.start, duration))
        case "months":
            first = first_counted_day(worktime, limit.start, limit.rule)
            return last_day_of_months(worktime, first, duration.size, limit.rule) - first + 1
        case "date":
            return None
        case _:
            return duration.size


def _roll_explanation(worktime: Worktime, limit: TimeLimit, nominal: int | None, counted: int | None) -> Explanation | None:
    """Say how a last day that is not worked moved, and over which days."""
    if nominal is None or counted is None:
        return None
    moved = worktime.day_of(counted - 1)
    if moved <= nominal:
        return None
    return {
        "from": str(worktime.date_of(nominal)),
        "to": str(worktime.date_of(moved)),
        "over": [_rolled_over_day(worktime, limit, day) for day in range(nominal, moved)],
    }


def _rolled_over_day(worktime: Worktime, limit: TimeLimit, day: int) -> Explanation:
    paused = worktime.is_working_day(day) and blocking_pause(limit.pauses, _end_of_day(worktime, limit, day, on_work=False))
    return {"day": str(worktime.date_of(day)), "because": "paused" if paused else _day_reason(worktime, day)}


def _replacement(worktime: Worktime, limit: TimeLimit, instants: tuple[int | None, int | None, int | None]) -> Explanation | None:
    """Say what stands instead of the counted instant: an extension until, or the date agreed."""
    due, until, counted = instants
    if due == counted and limit.duration.kind != "date":
        return None
    by = "extension" if until is not None and due == until else "agreed"
    return {"by": by, "counted": None if counted is None or limit.duration.kind == "date" else format_instant(worktime, counted)}


def _seconds(amount: int) -> float:
    """Give microseconds as seconds, whole ones as an integer."""
    whole, rest = divmod(amount, _MICROS_PER_SECOND)
    return whole if rest == 0 else amount / _MICROS_PER_SECOND
