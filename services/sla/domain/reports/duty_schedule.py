"""Schedules the periodic duties of a procedure (reports, checks, year seals), due at the end of a week, month, quarter or year."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from services.sla.domain.deadlines.counting import CountingRule, add_duration
from services.sla.domain.deadlines.recurrence import period_start
from services.sla.domain.deadlines.worktime import MICROS_PER_DAY, Worktime
from shared.procedures.model.duration import Duration
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.timed_entries import PeriodicDuty

REPORT_PERIODS = {"week": "1w", "month": "1mo", "quarter": "1q", "year": "1y"}
"""Report period → its duration."""
DUTY_KEY_PREFIX = "duty:"
"""Prefix of the record key of a duty's notification, in place of a case id."""
_LONG_MISSED = 366 * MICROS_PER_DAY
"""How long ago a duty was due that is combined with others of its year."""
_LONGEST_ROLL = 45 * MICROS_PER_DAY
"""How far back a search starts: a duty may roll over a long holiday after its period's end."""


@dataclass(frozen=True, slots=True)
class ScheduledDuty:
    """A duty in one period, or in several that were missed; instants in UTC microseconds, `until` is the first instant after them."""

    duty: PeriodicDuty
    since: int
    until: int
    due: int
    periods: int = 1


def period_bounds(worktime: Worktime, every: str, at: int) -> tuple[int, int]:
    """Return the first instant of an instant's period and the first after it; `every` is `1w`, `1mo`, `1q` or `1y`."""
    duration = Duration.parse(every)
    since = period_start(worktime, duration, at)
    # A period ends with its last day, worked or not; only the duty's due instant rolls to a working day.
    until, _, _ = add_duration(worktime, since, duration, CountingRule("inclusive", "none"))
    if until is None:
        raise ValueError(f"the period of {every} has no end")
    return since, until


def duties_due_between(procedure: Procedure, worktime: Worktime, since: int, until: int) -> Iterator[ScheduledDuty]:
    """Yield the duties due after `since` and not after `until`, by due instant."""
    scheduled = [entry for duty in procedure.duties for entry in _scheduled_between(duty, worktime, since, until)]
    yield from sorted(scheduled, key=lambda entry: (entry.due, entry.duty.id))


def combine_missed(duties: Iterable[ScheduledDuty], worktime: Worktime, now: int) -> list[ScheduledDuty]:
    """The duties by due instant, where those that were due more than a year ago are one a duty and calendar year.

    After an outage of years a report of every week would reach people as thousands of messages that no one can act on.
    """
    combined: dict[tuple[str, int], ScheduledDuty] = {}
    recent: list[ScheduledDuty] = []
    for entry in sorted(duties, key=lambda duty: duty.due):
        if entry.due > now - _LONG_MISSED:
            recent.append(entry)
            continue
        key = (entry.duty.id, worktime.to_datetime(entry.since).year)
        first = combined.get(key)
        combined[key] = entry if first is None else replace(entry, since=first.since, periods=first.periods + 1)
    return sorted([*combined.values(), *recent], key=lambda duty: (duty.due, duty.duty.id))


def next_duty_due(procedure: Procedure, worktime: Worktime, after: int) -> int | None:
    """Return the instant at which the procedure's next duty is due; None if it has no duties."""
    return min((_next_due_after(duty, worktime, after) for duty in procedure.duties), default=None)


def _scheduled_between(duty: PeriodicDuty, worktime: Worktime, since: int, until: int) -> Iterator[ScheduledDuty]:
    for entry in _schedule(duty, worktime, since):
        if entry.until > until:
            return
        if since < entry.due <= until:
            yield entry


def _next_due_after(duty: PeriodicDuty, worktime: Worktime, after: int) -> int:
    return next(entry.due for entry in _schedule(duty, worktime, after) if entry.due > after)


def _schedule(duty: PeriodicDuty, worktime: Worktime, since: int) -> Iterator[ScheduledDuty]:
    """Yield the duty of every period whose duty can be due after `since`, in order, until DeadlineError at the calendar's end."""
    at = since - _LONGEST_ROLL
    while True:
        period_since, period_until = period_bounds(worktime, duty.every, at)
        yield ScheduledDuty(duty, period_since, period_until, _due_of_period(duty, worktime, period_since))
        at = period_until


def _due_of_period(duty: PeriodicDuty, worktime: Worktime, since: int) -> int:
    due, _, _ = add_duration(worktime, since, Duration.parse(duty.every), CountingRule("inclusive", "forward"))
    if due is None:
        raise ValueError(f"duty {duty.id} never falls due")
    return due
