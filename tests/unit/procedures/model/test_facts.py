"""Facts in their declared types."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from shared.procedures.model.facts import coerce_fact, fact_default
from shared.procedures.model.procedure import FactDeclaration


@pytest.mark.parametrize(
    ("fact_type", "value", "fact"),
    [
        ("date", "2026-01-01", "2026-01-01"),
        ("date", date(2026, 1, 1), "2026-01-01"),
        ("date", "2026-01-01T23:30:00+08:00", "2026-01-01"),
        ("date", "1899-12-31", None),
        ("date", 20260101, None),
        ("instant", "2026-01-01", None),
        ("instant", "20260101", None),
        ("instant", "9999-01-01T00:00:00Z", None),
        ("instant", "2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("int", 2**63, None),
        ("int", "12", 12),
        ("int", True, None),
        ("number", float("nan"), None),
        ("text", float("inf"), None),
        ("text", 10**20, None),
        ("text", True, None),
        ("text", 5, "5"),
        ("bool", "TRUE", True),
        ("bool", [True], None),
    ],
)
def test_value_becomes_the_declared_type_or_nothing(fact_type: Any, value: Any, fact: Any) -> None:
    assert coerce_fact(FactDeclaration(type=fact_type), value) == fact


def test_unset_date_is_an_empty_text_and_a_default_may_be_a_date() -> None:
    assert fact_default(FactDeclaration(type="date")) == ""
    assert fact_default(FactDeclaration(type="date", default=date(2026, 1, 1))) == "2026-01-01"
