"""The period that a list covers, as people write it: 2026, 2026-Q3, 2026-09, 2026-W39, or a day in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime

from services.sla.domain.deadlines.counting import DeadlineError
from services.sla.domain.deadlines.worktime import Worktime, from_micros, to_micros
from services.sla.domain.reports.duty_schedule import REPORT_PERIODS, period_bounds
from shared.procedures.model.form_layout.lists import ListPeriod

ALL_PERIODS = "all"
_REMEDY = "write 2026, 2026-Q3, 2026-09, 2026-W39, a day such as 2026-09-24, or all"
_FORMS: tuple[tuple[re.Pattern[str], ListPeriod | None, Callable[..., date]], ...] = (
    (re.compile(r"(\d{4})", re.ASCII), "year", lambda year: date(year, 1, 1)),
    (re.compile(r"(\d{4})-Q([1-4])", re.ASCII), "quarter", lambda year, quarter: date(year, 3 * quarter - 2, 1)),
    (re.compile(r"(\d{4})-(\d\d)", re.ASCII), "month", lambda year, month: date(year, month, 1)),
    (re.compile(r"(\d{4})-W(\d\d)", re.ASCII), "week", lambda year, week: date.fromisocalendar(year, week, 1)),
    (re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII), None, date),
)


class ListPeriodError(ValueError):
    """A period that cannot be read; the text names the rule and the remedy."""


def list_bounds(text: str, kind: ListPeriod | None, worktime: Worktime, now: datetime) -> tuple[datetime, datetime] | None:
    """The first instant of the period and the first after it; None for all time.

    `kind` is the list's own period: it decides which period of a day is meant, and of no text that of `now`. Raises `ListPeriodError`.
    """
    if text == ALL_PERIODS or not (text or kind):
        return None
    written, noon = (kind, now) if not text else _parse(text, kind or "month", worktime)
    try:
        since, until = period_bounds(worktime, REPORT_PERIODS[written or "month"], to_micros(noon))
    except (DeadlineError, LookupError, OverflowError):
        raise ListPeriodError("period: lies beyond the calendar; give one from 2000 to 2099") from None
    return from_micros(since), from_micros(until)


def _parse(text: str, kind: ListPeriod, worktime: Worktime) -> tuple[ListPeriod, datetime]:
    for pattern, written, first_day in _FORMS:
        match = pattern.fullmatch(text)
        if match is None:
            continue
        try:
            day = first_day(*map(int, match.groups()))
        except ValueError:
            break
        return written or kind, datetime(day.year, day.month, day.day, 12, tzinfo=worktime.calendar.zone)
    raise ListPeriodError(f"period: is no period; {_REMEDY}")
