"""Why a deadline falls where it falls: what was counted piece by piece, what paused, lengthened, moved or replaced it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from services.sla.domain.deadlines.counting import first_day, first_open, last_of_months, part_of_day, reach
from services.sla.domain.deadlines.deadline import Limit, due_at
from services.sla.domain.deadlines.pauses import holds, unpaused
from services.sla.domain.deadlines.worktime import Worktime
from shared.procedures.model.duration import Duration, Kind

Explanation = dict[str, Any]
"""Plain data, ready for JSON: instants as ISO 8601 in the calendar's zone, amounts in the unit given beside them."""

_WEEKEND: Final = 5
_SECOND: Final = 1_000_000
_UNITS: Final[Mapping[Kind, str]] = {
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


def explain(worktime: Worktime, limit: Limit, because: Mapping[str, object] | None = None) -> Explanation:
    """Explain a limit; `because` (procedure, version, clause, start event …) is put in front. Raises like `due_at`.

    `segments` add up to `total` exactly: seconds of clock or working time, or days of which each counts 1 or 0.
    """
    due, _, provisional = due_at(worktime, limit)
    duration, until = limit.extended()
    found: Explanation = {**(because or {}), **_inputs(worktime, limit, duration)}
    counted, nominal = _counted(worktime, limit, duration)
    end = counted if counted is not None else _held_at(limit)
    found["segments"] = [] if duration.kind == "date" else _segments(worktime, limit, duration, (nominal, end))
    found["total"] = _total(worktime, limit, duration)
    found["rolled"] = _rolled(worktime, limit, nominal, counted)
    found["replaced"] = _replaced(worktime, limit, (due, until, counted))
    found["due"] = None if due is None else iso(worktime, due)
    found["provisional"] = provisional
    if provisional:
        found["unpublished_after"] = str(worktime.calendar.published_until)
    return found


def iso(worktime: Worktime, at: int) -> str:
    """Write UTC microseconds as ISO 8601 in the calendar's zone."""
    return worktime.instant(at).isoformat()


def _inputs(worktime: Worktime, limit: Limit, duration: Duration) -> Explanation:
    calendar, until = worktime.calendar, worktime.calendar.published_until
    return {
        "calendar": {
            "id": calendar.id,
            "version": calendar.version,
            "zone": calendar.zone.key,
            "published_until": None if until is None else str(until),
        },
        "start": iso(worktime, limit.start),
        "duration": str(limit.duration),
        "counted_duration": str(duration),
        "counting": limit.rule.counting,
        "roll": limit.rule.roll,
        "day_end": limit.rule.day_end,
        "pauses": [
            {"from": iso(worktime, begun), "to": None if ended is None else iso(worktime, ended)} for begun, ended in limit.pauses
        ],
        "extensions": [
            {"by": str(one.by)} if one.until is None else {"until": iso(worktime, one.until)} for one in limit.extensions
        ],
        "unit": _UNITS[duration.kind],
    }  # fmt: skip


def _counted(worktime: Worktime, limit: Limit, duration: Duration) -> tuple[int | None, int | None]:
    """Give due instant and last day of the duration itself, before anything replaces it."""
    if duration.kind == "date":
        return limit.agreed, None
    return reach(worktime, limit.start, duration, limit.rule, limit.pauses)[:2]


def _held_at(limit: Limit) -> int:
    """Give the instant at which an open pause began to hold the deadline back."""
    return limit.pauses[-1][0] if limit.pauses else limit.start


def _segments(worktime: Worktime, limit: Limit, duration: Duration, reached: tuple[int | None, int]) -> list[Explanation]:
    nominal, end = reached
    if duration.kind in ("clock", "working", "part"):
        return list(_stretches(worktime, limit, end, working=duration.kind != "clock"))
    last = nominal if nominal is not None else worktime.day(end)
    return [_day(worktime, limit, duration, day) for day in range(worktime.day(limit.start), last + 1)]


def _stretches(worktime: Worktime, limit: Limit, end: int, *, working: bool) -> Iterator[Explanation]:
    for begun, ended in unpaused(limit.pauses, limit.start, end):
        pieces = _working_pieces(worktime, begun, ended) if working else [(begun, ended)]
        for one, other in pieces:
            yield {"from": iso(worktime, one), "to": iso(worktime, other), "amount": _seconds(other - one)}


def _working_pieces(worktime: Worktime, begun: int, ended: int) -> Iterator[tuple[int, int]]:
    index = worktime.interval(begun)
    while index < len(worktime.opens) and worktime.opens[index] < ended:
        opens, shuts = max(begun, worktime.opens[index]), min(ended, worktime.shuts[index])
        if opens < shuts:
            yield opens, shuts
        index += 1


def _day(worktime: Worktime, limit: Limit, duration: Duration, day: int) -> Explanation:
    """Say of one day whether it counts, and why or why not."""
    on_work = duration.kind in ("working_days", "same_working_day")
    end = _end_of(worktime, limit, day, on_work=on_work)
    reason = _reason(worktime, day) if on_work else "calendar_day"
    counts = (not on_work or worktime.is_worked(day)) and day >= _first(worktime, limit, duration)
    if day == worktime.day(limit.start) and not counts and (not on_work or worktime.is_worked(day)):
        reason = "start_day" if limit.rule.counting == "exclusive" and duration.pausable else "after_close"
    if counts and duration.pausable and holds(limit.pauses, end):
        counts, reason = False, "paused"
    found = {
        "day": str(worktime.date_of(day)),
        "from": iso(worktime, max(limit.start, worktime.midnight(worktime.date_of(day)))),
        "to": iso(worktime, max(limit.start, end)),
        "amount": int(counts),
        "because": reason,
    }
    return {**found, "guessed": True} if on_work and worktime.unknown(day, day) else found


def _first(worktime: Worktime, limit: Limit, duration: Duration) -> int:
    if duration.kind == "same_day":
        return worktime.day(limit.start)
    if duration.kind == "same_working_day" or (duration.kind == "working_days" and limit.rule.counting == "inclusive"):
        return worktime.work_days[first_open(worktime, limit.start)]
    if duration.kind == "working_days":
        return worktime.day(limit.start) + 1
    return first_day(worktime, limit.start, limit.rule)


def _end_of(worktime: Worktime, limit: Limit, day: int, *, on_work: bool) -> int:
    if on_work or limit.rule.day_end == "close":
        return worktime.dated_closes[day]
    return worktime.day_ends[day]


def _reason(worktime: Worktime, day: int) -> str:
    when: date = worktime.date_of(day)
    entered, weekend = when in worktime.calendar.days, when.weekday() >= _WEEKEND
    if worktime.is_worked(day):
        return "make_up_day" if entered and weekend else "working_day"
    return "day_off" if entered or not weekend else "weekend"


def _total(worktime: Worktime, limit: Limit, duration: Duration) -> float | None:
    """Give what the segments have to add up to, in their unit; None for an agreed instant."""
    match duration.kind:
        case "clock" | "working":
            return _seconds(duration.size)
        case "part":
            return _seconds(part_of_day(worktime, limit.start, duration))
        case "months":
            first = first_day(worktime, limit.start, limit.rule)
            return last_of_months(worktime, first, duration.size, limit.rule) - first + 1
        case "date":
            return None
        case _:
            return duration.size


def _rolled(worktime: Worktime, limit: Limit, nominal: int | None, counted: int | None) -> Explanation | None:
    """Say how a last day that is not worked moved, and over which days."""
    if nominal is None or counted is None:
        return None
    moved = worktime.day(counted - 1)
    if moved <= nominal:
        return None
    return {
        "from": str(worktime.date_of(nominal)),
        "to": str(worktime.date_of(moved)),
        "over": [_passed(worktime, limit, day) for day in range(nominal, moved)],
    }


def _passed(worktime: Worktime, limit: Limit, day: int) -> Explanation:
    paused = worktime.is_worked(day) and holds(limit.pauses, _end_of(worktime, limit, day, on_work=False))
    return {"day": str(worktime.date_of(day)), "because": "paused" if paused else _reason(worktime, day)}


def _replaced(worktime: Worktime, limit: Limit, instants: tuple[int | None, int | None, int | None]) -> Explanation | None:
    """Say what stands instead of the counted instant: an extension until, or the date agreed."""
    due, until, counted = instants
    if due == counted and limit.duration.kind != "date":
        return None
    by = "extension" if until is not None and due == until else "agreed"
    return {"by": by, "counted": None if counted is None or limit.duration.kind == "date" else iso(worktime, counted)}


def _seconds(amount: int) -> float:
    """Give microseconds as seconds, whole ones as an integer."""
    whole, rest = divmod(amount, _SECOND)
    return whole if rest == 0 else amount / _SECOND
