"""Dates in conditions: `months_after`."""

import pytest

from shared.procedures.expressions.conditions import NamePath, compile_condition
from shared.procedures.expressions.date_arithmetic import months_after


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2025-11-28", 12, "2026-11-28"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2026-08-31", 6, "2027-02-28"),
        ("2026-12-15", 1, "2027-01-15"),
        ("", 12, ""),
    ],
)
def test_the_same_day_some_months_later_or_the_last_day_of_the_month(day: str, months: int, expected: str) -> None:
    assert months_after(day, months) == expected


@pytest.mark.parametrize(("received", "expected"), [("2026-11-27", True), ("2026-11-28", False), ("2026-11-29", False)])
def test_a_condition_compares_a_day_with_a_date_some_months_on(received: str, expected: bool) -> None:
    values: dict[NamePath, str] = {("case", "received_day"): received, ("facts", "accepted_at"): "2025-11-28"}
    condition = compile_condition("case.received_day < months_after(facts.accepted_at, 12)")
    assert condition.holds(values.__getitem__) == expected
