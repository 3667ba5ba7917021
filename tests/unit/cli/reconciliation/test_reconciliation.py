"""What a comparison of expected and actual items counts, and which events belong on a department's topic."""

from collections import Counter
from typing import Any

import orjson

from cli.reconciliation.reconciliation import Reconciliation
from cli.reconciliation.table_contents import LedgerContents, StoredHead, add_ledger


def ledger_row(sequence: int, event_type: str, *, origin: str = "", **fields: Any) -> dict[str, Any]:
    """A row as asyncpg returns it; an origin marks the first event of a decision."""
    body = orjson.dumps(fields)
    return {"case_id": "a", "sequence": sequence, "type": event_type, "cause": "action", "origin": origin, "body": body, "hash": b""}


def test_comparison_counts_missing_repeated_and_unexpected_items() -> None:
    result = Reconciliation(2)
    result.compare("topic", ["a", "b"], Counter({"b": 3, "c": 1}))
    assert (result.lost, result.duplicated, result.unexpected) == (1, 2, 1)
    assert result.counts == {"topic": 4}
    assert result.details == ["topic: 1 missing, e.g. a", "topic: 1 more than once, e.g. b", "topic: 1 unexpected, e.g. c"]
    assert not result.is_consistent


def test_equal_items_are_consistent() -> None:
    result = Reconciliation(1)
    result.compare("table", ["a"], Counter(["a"]))
    assert result.is_consistent
    assert result.details == []


def test_events_of_a_decision_go_to_departments_that_had_or_get_the_case() -> None:
    rows: Any = [
        ledger_row(1, "registered", origin="open"),
        ledger_row(2, "routed", origin="apply", department="repairs", cooperating=["cleaning"]),
        ledger_row(3, "clock_started"),
        ledger_row(4, "answered", origin="act"),
        ledger_row(5, "reassigned", origin="act", department="security"),
        ledger_row(6, "answered", origin="act"),
        ledger_row(7, "returned", origin="act"),
        ledger_row(8, "answered", origin="act"),
    ]
    contents = LedgerContents(department_events={name: set() for name in ("repairs", "cleaning", "security")})
    add_ledger(contents, rows, {})
    numbers = {name: sorted(sequence for _, sequence in events) for name, events in contents.department_events.items()}
    assert numbers == {"repairs": [2, 3, 4, 5], "cleaning": [2, 3, 4, 5], "security": [5, 6, 7]}


def test_broken_chain_and_head_are_faults() -> None:
    contents = LedgerContents()
    rows: Any = [ledger_row(1, "registered")]
    add_ledger(contents, rows, {"a": StoredHead(2, b"other", b"")})
    assert "a: the case's head is not the last event of its ledger" in contents.faults
    assert len(contents.faults) > 1
