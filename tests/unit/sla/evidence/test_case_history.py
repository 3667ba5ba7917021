"""Verification of a case's ledger detects every changed, missing or swapped entry."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sla.domain.evidence import hash_chain
from services.sla.domain.evidence.case_history import CaseHistory, LedgerRow, verify_history

AT = datetime(2026, 9, 24, 8, 40, tzinfo=UTC)


def history(length: int) -> CaseHistory:
    rows, head = [], hash_chain.GENESIS_HASH
    for sequence in range(1, length + 1):
        body = hash_chain.canonical_json(
            {"case": "c", "sequence": sequence, "type": "reminded", "at": AT, "recorded_at": AT, "n": sequence}
        )
        head = hash_chain.chain_hash(head, body)
        rows.append(LedgerRow(sequence, body, head, "reminded", AT, AT))
    return CaseHistory("c", head, length, "", b"{}", tuple(rows))


@given(st.integers(0, 12))
def test_unchanged_ledger_has_no_faults(length: int) -> None:
    assert verify_history(history(length)) == []


@given(st.integers(1, 12), st.data())
def test_any_flipped_bit_is_detected(length: int, data: st.DataObject) -> None:
    unchanged = history(length)
    index = data.draw(st.integers(0, length - 1))
    row = unchanged.rows[index]
    column = data.draw(st.sampled_from(["body", "hash"]))
    content = bytearray(getattr(row, column))
    bit = data.draw(st.integers(0, len(content) * 8 - 1))
    content[bit // 8] ^= 1 << bit % 8
    changed = replace(row, body=bytes(content)) if column == "body" else replace(row, hash=bytes(content))
    rows = [*unchanged.rows[:index], changed, *unchanged.rows[index + 1 :]]
    assert verify_history(replace(unchanged, rows=rows))


@given(st.integers(1, 12), st.data())
def test_any_missing_event_is_detected(length: int, data: st.DataObject) -> None:
    unchanged = history(length)
    index = data.draw(st.integers(0, length - 1))
    faults = verify_history(replace(unchanged, rows=[*unchanged.rows[:index], *unchanged.rows[index + 1 :]]))
    assert any("missing" in fault for fault in faults)


@given(st.integers(2, 12), st.data())
def test_any_swapped_events_are_detected(length: int, data: st.DataObject) -> None:
    unchanged = history(length)
    first, second = sorted(data.draw(st.lists(st.integers(0, length - 1), min_size=2, max_size=2, unique=True)))
    rows = list(unchanged.rows)
    rows[first], rows[second] = replace(rows[second], sequence=first + 1), replace(rows[first], sequence=second + 1)
    assert verify_history(replace(unchanged, rows=rows))


def test_case_that_was_set_back_is_detected() -> None:
    unchanged = history(4)
    [fault] = verify_history(replace(unchanged, sequence=3, head=unchanged.rows[2].hash))
    assert fault == "the ledger ends at event 4, the case is at event 3: events were added, or the case was set back"


@pytest.mark.parametrize(
    ("column", "row"),
    [
        ("type", replace(history(1).rows[0], type="escalated")),
        ("at", replace(history(1).rows[0], at=AT + timedelta(seconds=1))),
        ("recorded_at", replace(history(1).rows[0], recorded_at=AT + timedelta(seconds=1))),
    ],
)
def test_column_that_differs_from_the_body_is_detected(column: str, row: LedgerRow) -> None:
    assert verify_history(replace(history(1), rows=[row])) == [f"event 1: the column {column} does not agree with the event"]


def test_canonical_json_does_not_depend_on_the_order_of_fields() -> None:
    assert hash_chain.canonical_json({"b": "投诉", "a": AT}) == hash_chain.canonical_json({"a": AT, "b": "投诉"})
