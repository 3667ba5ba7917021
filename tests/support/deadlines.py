"""Deadlines written shortly, for tables of tests: local times in China, or in another zone with its calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from services.sla.domain.deadlines.counting import CountingRule
from services.sla.domain.deadlines.deadline import Extension, TimeLimit, compute_due
from services.sla.domain.deadlines.worktime import Worktime, to_micros
from shared.procedures.calendars.calendar import Calendar, standard
from shared.procedures.model.duration import Duration
from tests.support.minute_counter import CHINA


def at(written: str, zone: tzinfo = CHINA) -> int:
    """UTC microseconds of a time such as `2026-09-24 16:40`, local unless it has an offset."""
    found = datetime.fromisoformat(written)
    return to_micros(found if found.tzinfo else found.replace(tzinfo=zone))


def limit(
    start: str,
    duration: str,
    *,
    pauses: Sequence[tuple[str, str | None]] = (),
    extensions: Sequence[str] = (),
    zone: tzinfo = CHINA,
    **rest: Any,
) -> TimeLimit:
    """A limit; extensions are `2d` or instants, `rest` takes counting, roll, day_end, agreed, or_agreed."""
    agreed = rest.pop("agreed", None)
    return TimeLimit(
        at(start, zone),
        Duration.parse(duration),
        pauses=tuple((at(begun, zone), None if ended is None else at(ended, zone)) for begun, ended in pauses),
        extensions=[Extension(until=at(each, zone)) if ":" in each else Extension(by=Duration.parse(each)) for each in extensions],
        agreed=None if agreed is None else at(agreed, zone),
        or_agreed=rest.pop("or_agreed", False),
        rule=CountingRule.parse(**rest),
    )


def local_text(instant: int | None, calendar: Calendar | None = None) -> str | None:
    """An instant as `2026-09-24 16:40` in the calendar's zone, with seconds and their parts where it has any."""
    if instant is None:
        return None
    text = Worktime.for_calendar(calendar or standard()).to_datetime(instant).replace(tzinfo=None).isoformat(" ")
    return text[:16] if text.endswith(":00") and len(text) == 19 else text


def due(start: str, duration: str, calendar: Calendar | None = None, **rest: Any) -> str | None:
    """The due instant as `local` writes it."""
    return local_text(compute_due(Worktime.for_calendar(calendar or standard()), limit(start, duration, **rest))[0], calendar)


def is_provisional(start: str, duration: str, calendar: Calendar | None = None, **rest: Any) -> bool:
    """Whether a day after the horizon had to be judged."""
    return compute_due(Worktime.for_calendar(calendar or standard()), limit(start, duration, **rest))[2]
