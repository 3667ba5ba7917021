"""Dates some months later: the same day of the month, or its last one."""

from calendar import monthrange
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sla.domain.deadlines.counting import CountingRule, add_duration
from services.sla.domain.deadlines.worktime import Worktime, to_micros
from shared.procedures.calendars.calendar import default_calendar
from shared.procedures.expressions.conditions import compile_condition
from shared.procedures.expressions.date_arithmetic import months_after
from shared.procedures.model.duration import Duration

DATES = st.dates(date(2000, 1, 1), date(2060, 12, 31))
MONTHS = st.integers(0, 240)
WORKTIME = Worktime(default_calendar())


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        ("2026-01-01", 6, "2026-07-01"),
        ("2026-08-31", 6, "2027-02-28"),
        ("2027-08-31", 6, "2028-02-29"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2025-12-15", 1, "2026-01-15"),
        ("2026-11-27", 0, "2026-11-27"),
        ("2026-03-31", -1, "2026-02-28"),
        ("", 12, ""),
    ],
)
def test_a_date_some_months_later_is_the_same_day_or_the_last_of_its_month(day: str, months: int, later: str) -> None:
    assert months_after(day, months) == later


@given(DATES, MONTHS)
def test_the_month_is_exact_and_only_a_day_that_the_month_lacks_moves(day: date, months: int) -> None:
    later = date.fromisoformat(months_after(day.isoformat(), months))
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == min(day.day, monthrange(later.year, later.month)[1])


@given(DATES, DATES, MONTHS)
def test_an_earlier_date_never_ends_later(one: date, other: date, months: int) -> None:
    first, second = sorted((one.isoformat(), other.isoformat()))
    assert months_after(first, months) <= months_after(second, months)


@given(st.dates(date(2000, 1, 1), date(2025, 12, 31)), st.integers(1, 60))
def test_a_date_some_months_later_is_the_last_day_of_a_limit_of_as_many_months(day: date, months: int) -> None:
    """`1mo` of a clock and the months of a condition are the same months (time.md)."""
    at = to_micros(WORKTIME.to_datetime(0).replace(year=day.year, month=day.month, day=day.day, hour=12))
    due, _, _ = add_duration(WORKTIME, at, Duration.parse(f"{months}mo"), CountingRule("exclusive", "none"))
    assert due is not None
    assert WORKTIME.date_of(WORKTIME.day_of(due - 1)).isoformat() == months_after(day.isoformat(), months)


@pytest.mark.parametrize(("received", "holds"), [("2026-12-31", True), ("2027-01-01", False)])
def test_a_condition_compares_a_day_with_a_date_some_months_later(received: str, *, holds: bool) -> None:
    condition = compile_condition("case.received_day < months_after(facts.accepted_at, 12)")
    values = {"received_day": received, "accepted_at": "2026-01-01"}
    assert condition.holds(lambda path: values[path[1]]) is holds
