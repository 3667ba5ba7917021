"""Short notation for deadlines in tables of tests: local times in China, or in another zone with its calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from services.sla.domain.deadlines.counting import CountingRule
from services.sla.domain.deadlines.deadline import AgreedDateMode, Extension, TimeLimit, compute_due
from services.sla.domain.deadlines.worktime import Worktime, to_micros
from shared.procedures.calendars.calendar import Calendar, default_calendar
from shared.procedures.model.duration import Duration
from tests.support.deadlines.minute_counter import CHINA


def at(text: str, zone: tzinfo = CHINA) -> int:
    """UTC microseconds of a time such as `2026-09-24 16:40`, local unless it has an offset."""
    time = datetime.fromisoformat(text)
    return to_micros(time if time.tzinfo else time.replace(tzinfo=zone))


def limit(
    start: str,
    duration: str,
    *,
    pauses: Sequence[tuple[str, str | None]] = (),
    extensions: Sequence[str] = (),
    zone: tzinfo = CHINA,
    agreed: str | None = None,
    or_agreed: AgreedDateMode = False,
    **rule: Any,
) -> TimeLimit:
    """A time limit; an extension is a duration such as `2d` or a time, `rule` takes counting, roll and day_end."""
    return TimeLimit(
        at(start, zone),
        Duration.parse(duration),
        pauses=tuple((at(pause_start, zone), None if pause_end is None else at(pause_end, zone)) for pause_start, pause_end in pauses),
        extensions=[Extension(until=at(text, zone)) if ":" in text else Extension(by=Duration.parse(text)) for text in extensions],
        agreed=None if agreed is None else at(agreed, zone),
        or_agreed=or_agreed,
        rule=CountingRule.parse(**rule),
    )


def local_text(instant: int | None, calendar: Calendar | None = None) -> str | None:
    """An instant as `2026-09-24 16:40` in the calendar's zone, with seconds and microseconds unless they are 0."""
    if instant is None:
        return None
    text = Worktime.for_calendar(calendar or default_calendar()).to_datetime(instant).replace(tzinfo=None).isoformat(" ")
    return text[:16] if text.endswith(":00") and len(text) == 19 else text


def due(start: str, duration: str, calendar: Calendar | None = None, **options: Any) -> str | None:
    """The due instant of a limit as `local_text` writes it; `options` as in `limit`."""
    instant, _, _ = compute_due(Worktime.for_calendar(calendar or default_calendar()), limit(start, duration, **options))
    return local_text(instant, calendar)


def is_provisional(start: str, duration: str, calendar: Calendar | None = None, **options: Any) -> bool:
    """Whether a limit depends on a day after the published schedule; `options` as in `limit`."""
    _, _, provisional = compute_due(Worktime.for_calendar(calendar or default_calendar()), limit(start, duration, **options))
    return provisional
