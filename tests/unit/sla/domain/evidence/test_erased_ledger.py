"""An erased ledger verifies, its tampering is found, and texts cannot vanish without a recorded erasure."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.sla.domain.evidence import hash_chain
from services.sla.domain.evidence.case_history import CaseHistory, LedgerRow, verify_history
from services.sla.domain.evidence.erased_state import erased_rows
from shared.contracts.erasure.personal_values import ERASED, erased_body

AT = datetime(2026, 9, 24, 8, 40, tzinfo=UTC)
KEY = b"k" * 32
EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("registered", {"complaint": {"text": "楼道里堆满了旧家具", "received_at": AT}}),
    ("clock_started", {"clock": "answer"}),
    ("first_answered", {"text": "已清走"}),
    ("closed", {"reason": "completed"}),
    ("person_erased", {"ground": "request"}),
]


def _history(events: list[tuple[str, dict[str, Any]]], key: bytes = KEY) -> CaseHistory:
    rows, head = [], hash_chain.GENESIS_HASH
    for sequence, (event_type, fields) in enumerate(events, 1):
        envelope = {"case": "c", "sequence": sequence, "type": event_type, "at": AT, "recorded_at": AT}
        body = hash_chain.canonical_json({**fields, **envelope})
        head = hash_chain.personal_chain_hash(head, body, key)
        rows.append(LedgerRow(sequence, body, head, event_type, AT, AT))
    return CaseHistory("c", head, len(rows), "", b"{}", tuple(rows), key)


def _erased(history: CaseHistory) -> CaseHistory:
    rows = [replace(row, body=erased_body(row.body, history.personal_key)) for row in history.rows]
    return replace(history, rows=rows, personal_key=b"n" * 32)


def test_erased_ledger_verifies_under_its_new_key() -> None:
    erased = _erased(_history(EVENTS))
    assert "家具".encode() not in b"".join(row.body for row in erased.rows)
    assert verify_history(erased) == []


@pytest.mark.parametrize(
    ("old", "new"), [(b"clock_started", b"clock_stopped"), (b'"ground":"request"', b'"ground":"order"'), (b"[erased]", b"[erasee]")]
)
def test_change_of_what_an_erasure_left_is_found(old: bytes, new: bytes) -> None:
    erased = _erased(_history(EVENTS))
    rows = [replace(row, body=row.body.replace(old, new)) for row in erased.rows]
    assert rows != erased.rows
    assert verify_history(replace(erased, rows=rows))


def test_changed_text_and_white_space_are_found_before_an_erasure() -> None:
    whole = _history(EVENTS[:4])
    assert verify_history(whole) == []
    for old, new in (("家具", "家俱"), ('"text":', '"text": ')):
        rows = [replace(row, body=row.body.replace(old.encode(), new.encode())) for row in whole.rows]
        assert verify_history(replace(whole, rows=rows)), old


def test_texts_that_vanish_without_a_recorded_erasure_are_found() -> None:
    faults = verify_history(_erased(_history(EVENTS[:4])))
    assert faults
    assert all("no erasure of the case is recorded" in fault for fault in faults)


def test_frozen_rows_lose_personal_cells_of_erased_cases_only() -> None:
    reads: tuple[list[list[str]], ...] = [["number"]], [["complainant", "name"], ["text"]], [["facts", "persons"]], []
    part = [["c-1", ["TS-1", "欧**", 3, "总计"]], ["c-2", ["TS-2", "孙*", 1, ""]]]
    assert erased_rows(part, frozenset({"c-1"}), reads) == [["c-1", ["TS-1", ERASED, 3, "总计"]], part[1]]
