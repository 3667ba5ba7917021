"""The due instant of a clock: its duration counted, its extensions and an agreed date applied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple

from services.sla.domain.deadlines.counting import DEFAULT_COUNTING_RULE, CountingRule, DeadlineError, add_duration
from services.sla.domain.deadlines.pauses import Pauses, normalize_pauses
from services.sla.domain.deadlines.worktime import Worktime, to_micros
from shared.procedures.calendars.calendar import Calendar
from shared.procedures.model.duration import Duration

AgreedDateMode = Literal[False, True, "earlier"]


class Deadline(NamedTuple):
    """A deadline: its instant in the calendar's zone (None while an open pause holds it), the last day before rolling, provisional."""

    instant: datetime | None
    provisional: bool = False
    nominal: date | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """What was granted: `by` a duration, or `until` an instant (UTC microseconds); one of the two."""

    by: Duration | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """A time limit with all that changes it, in UTC microseconds: what a case keeps of a clock's round."""

    start: int
    duration: Duration
    rule: CountingRule = DEFAULT_COUNTING_RULE
    pauses: Pauses = ()
    extensions: Sequence[Extension] = ()
    agreed: int | None = None
    or_agreed: AgreedDateMode = False

    def extended_duration(self) -> tuple[Duration, int | None]:
        """Give the duration with every `by` added, and the instant of the latest `until`; raises DurationError, DeadlineError."""
        duration, until = self.duration, None
        for extension in self.extensions:
            if extension.until is not None:
                until = extension.until
            elif extension.by is not None:
                if until is not None:
                    raise DeadlineError(f"extension by {extension.by}: follows one until an instant; extend until a later instant")
                duration = duration.plus(extension.by)
        return duration, until


def compute_due(worktime: Worktime, limit: TimeLimit) -> tuple[int | None, int | None, bool]:
    """Give due instant (UTC microseconds or None), last day before rolling (index or None) and provisional of a limit.

    The cheapest call for a case: raises DeadlineError and DurationError as `reach` and `Limit.extended` do.
    """
    if limit.or_agreed is True and limit.agreed is not None:
        return limit.agreed, None, False
    duration, until = limit.extended_duration() if limit.extensions else (limit.duration, None)
    if until is not None:
        due: tuple[int | None, int | None, bool] = (until, None, False)
    elif duration.kind == "date":
        due = (limit.agreed, None, False)
    else:
        due = add_duration(worktime, limit.start, duration, limit.rule, limit.pauses)
    if limit.or_agreed == "earlier" and limit.agreed is not None and (due[0] is None or limit.agreed < due[0]):
        guessed = due[2] and worktime.day_of(limit.agreed - 1) > worktime.last_published_day
        return limit.agreed, None, guessed
    return due


def compute_deadline(  # the whole of time.md in one call
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
    """Give the deadline of `duration` from an aware `start`; `agreed` is the value of a `date` or of the date agreed.

    Raises DeadlineError, DurationError and PauseError, each naming value, rule and remedy.
    """
    worktime = Worktime.for_calendar(calendar)
    stands = None if agreed is None else to_micros(agreed)
    paused = normalize_pauses(pauses) if pauses else ()
    if extensions or stands is not None or duration.kind == "date":
        at, last, provisional = compute_due(worktime, TimeLimit(to_micros(start), duration, rule, paused, extensions, stands, or_agreed))
    else:
        at, last, provisional = add_duration(worktime, to_micros(start), duration, rule, paused)
    return Deadline(
        None if at is None else worktime.to_datetime(at),
        provisional,
        None if last is None else worktime.date_of(last),
    )
