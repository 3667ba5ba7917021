"""Computes the due instant of a time limit: the counted duration with its extensions and an agreed date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple

from services.sla.domain.deadlines.calendar_pieces import AnyCalendar, count_duration
from services.sla.domain.deadlines.counting import DEFAULT_COUNTING_RULE, CountedDue, CountingRule, DeadlineError, add_duration
from services.sla.domain.deadlines.pauses import Pauses, normalize_pauses
from services.sla.domain.deadlines.worktime import Worktime, to_micros
from shared.procedures.calendars.calendar import Calendar
from shared.procedures.model.duration import Duration

AgreedDateMode = Literal[False, True, "earlier"]
"""Whether an agreed date replaces the counted instant: never, always, or only when it is earlier."""


class Deadline(NamedTuple):
    """A deadline in the calendar's zone; `instant` is None while an open pause holds it or an agreed date is missing."""

    instant: datetime | None
    provisional: bool = False
    nominal: date | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """A granted extension: `by` a duration or `until` an instant (UTC microseconds), one of the two."""

    by: Duration | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """All inputs of one deadline except the calendar; instants in UTC microseconds.

    `agreed` is the value of a `date` duration's fact, or the date agreed with the customer.
    """

    start: int
    duration: Duration
    rule: CountingRule = DEFAULT_COUNTING_RULE
    pauses: Pauses = ()
    extensions: Sequence[Extension] = ()
    agreed: int | None = None
    or_agreed: AgreedDateMode = False

    def extended_duration(self) -> tuple[Duration, int | None]:
        """Return the duration with every `by` added, and the instant of the last `until`.

        Raises DurationError for a `by` in another unit than the duration's, DeadlineError for a `by` after an `until`.
        """
        duration, until = self.duration, None
        for extension in self.extensions:
            if extension.until is not None:
                until = extension.until
            elif extension.by is not None:
                if until is not None:
                    raise DeadlineError(f"extension by {extension.by}: follows one until an instant; extend until a later instant")
                duration = duration.plus(extension.by)
        return duration, until


def compute_due(calendar: AnyCalendar, limit: TimeLimit) -> CountedDue:
    """Compute the due instant of a time limit, on integers; raises DeadlineError and DurationError."""
    if limit.or_agreed is True and limit.agreed is not None:
        return limit.agreed, None, False
    duration, until = limit.extended_duration() if limit.extensions else (limit.duration, None)
    if until is not None:
        counted: CountedDue = (until, None, False)
    elif duration.kind == "date":
        counted = (limit.agreed, None, False)
    else:
        counted = count_duration(calendar, limit.start, duration, limit.rule, limit.pauses)
    due, _, is_provisional = counted
    if limit.or_agreed == "earlier" and limit.agreed is not None and (due is None or limit.agreed < due):
        # An agreed date within the published schedule is earlier than the counted instant whatever the later schedule says.
        worktime = calendar if isinstance(calendar, Worktime) else calendar.worktime_at(limit.agreed)
        return limit.agreed, None, is_provisional and worktime.day_of(limit.agreed - 1) > worktime.last_published_day
    return counted


def compute_deadline(
    start: datetime,
    duration: Duration,
    calendar: Calendar,
    *,
    rule: CountingRule = DEFAULT_COUNTING_RULE,
    pauses: Iterable[tuple[datetime, datetime | None]] = (),
    extensions: Sequence[Extension] = (),
    agreed: datetime | None = None,
    or_agreed: AgreedDateMode = False,
) -> Deadline:
    """Compute the deadline of `duration` from an aware `start`; arguments as in TimeLimit.

    Raises DeadlineError, DurationError and PauseError.
    """
    worktime = Worktime.for_calendar(calendar)
    start_at, agreed_at = to_micros(start), None if agreed is None else to_micros(agreed)
    merged_pauses = normalize_pauses(pauses) if pauses else ()
    if extensions or agreed_at is not None or duration.kind == "date":
        limit = TimeLimit(start_at, duration, rule, merged_pauses, extensions, agreed_at, or_agreed)
        due, nominal, is_provisional = compute_due(worktime, limit)
    else:  # counting takes 3 µs, building a TimeLimit for it 1.5 µs more
        due, nominal, is_provisional = add_duration(worktime, start_at, duration, rule, merged_pauses)
    return Deadline(
        None if due is None else worktime.to_datetime(due),
        is_provisional,
        None if nominal is None else worktime.date_of(nominal),
    )
