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


def test_ledger_that_an_older_version_began_or_continued_verifies() -> None:
    for is_old in ([True] * 3, [True, False, True], [False, True, False]):
        assert verify_history(_mixed_history(is_old)) == []


def test_change_of_an_entry_of_an_older_version_is_found() -> None:
    whole = _mixed_history([True, True, False])
    rows = [replace(row, body=row.body.replace("家具".encode(), "家俱".encode())) for row in whole.rows]
    assert "event 1" in verify_history(replace(whole, rows=rows))[0]


@pytest.mark.parametrize("is_old", [[True] * 5, [False, False, True, False, False], [False] * 5])
def test_erasure_of_a_ledger_of_an_older_version_binds_it_anew(is_old: list[bool]) -> None:
    history = _mixed_history(is_old, EVENTS)
    entries = [hash_chain.LedgerEntry(row.sequence, row.body, row.hash) for row in history.rows]
    erased = hash_chain.erased_chain(entries, KEY)
    assert hash_chain.verify_chain(erased, b"n" * 32) == []
    assert "家具".encode() not in b"".join(entry.body for entry in erased)
    # What precedes the first hash of personal values themselves keeps its hash, and with it the proofs of a seal.
    kept = is_old.index(True) if True in is_old else len(is_old)
    assert [entry.hash for entry in erased[:kept]] == [row.hash for row in history.rows[:kept]]
    assert (erased[-1].hash == history.head) == (True not in is_old)


def _mixed_history(is_old: list[bool], events: list[tuple[str, dict[str, Any]]] = EVENTS) -> CaseHistory:
    """A ledger in which some entries have the hash that a version without personal keys computes."""
    rows, head = [], hash_chain.GENESIS_HASH
    for row, old in zip(_history(events[: len(is_old)]).rows, is_old, strict=True):
        head = hash_chain.chain_hash(head, row.body) if old else hash_chain.personal_chain_hash(head, row.body, KEY)
        rows.append(replace(row, hash=head))
    return CaseHistory("c", head, len(rows), "", b"{}", tuple(rows), KEY)
