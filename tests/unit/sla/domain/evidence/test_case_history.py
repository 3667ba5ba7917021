"""The ledger's hash chain and the Merkle tree of a sealed year detect every change."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sla.domain.evidence import decision_context as bases
from services.sla.domain.evidence import hash_chain, merkle
from services.sla.domain.evidence.case_history import CaseHistory, LedgerRow, verify_history
from shared.procedures.calendars.calendar import Calendar, default_calendar
from shared.procedures.organisation import Organisation

AT = datetime(2026, 9, 24, 8, 40, tzinfo=UTC)


def dossier(number: int) -> CaseHistory:
    rows, head = [], hash_chain.GENESIS_HASH
    for sequence in range(1, number + 1):
        body = hash_chain.canonical_json(
            {"case": "c", "sequence": sequence, "type": "reminded", "at": AT, "recorded_at": AT, "n": sequence}
        )
        head = hash_chain.chain_hash(head, body)
        rows.append(LedgerRow(sequence, body, head, "reminded", AT, AT))
    return CaseHistory("c", head, number, "", b"{}", tuple(rows))


@given(st.integers(0, 12))
def test_an_unchanged_ledger_verifies(number: int) -> None:
    assert verify_history(dossier(number)) == []


@given(st.integers(1, 12), st.data())
def test_any_flipped_bit_is_found(number: int, data: st.DataObject) -> None:
    whole = dossier(number)
    place = data.draw(st.integers(0, number - 1))
    row = whole.rows[place]
    name = data.draw(st.sampled_from(["body", "hash"]))
    content = bytearray(getattr(row, name))
    bit = data.draw(st.integers(0, len(content) * 8 - 1))
    content[bit // 8] ^= 1 << bit % 8
    changed = replace(row, body=bytes(content)) if name == "body" else replace(row, hash=bytes(content))
    rows = [*whole.rows[:place], changed, *whole.rows[place + 1 :]]
    assert verify_history(replace(whole, rows=rows))


@given(st.integers(1, 12), st.data())
def test_a_missing_event_is_found_wherever_it_stood(number: int, data: st.DataObject) -> None:
    whole = dossier(number)
    place = data.draw(st.integers(0, number - 1))
    found = verify_history(replace(whole, rows=[*whole.rows[:place], *whole.rows[place + 1 :]]))
    assert any("missing" in fault for fault in found)


@given(st.integers(2, 12), st.data())
def test_exchanged_events_are_found(number: int, data: st.DataObject) -> None:
    whole = dossier(number)
    one, other = sorted(data.draw(st.lists(st.integers(0, number - 1), min_size=2, max_size=2, unique=True)))
    rows = list(whole.rows)
    rows[one], rows[other] = replace(rows[other], sequence=one + 1), replace(rows[one], sequence=other + 1)
    assert verify_history(replace(whole, rows=rows))


def test_a_case_set_back_is_found() -> None:
    whole = dossier(4)
    assert "the ledger ends at event 4" in verify_history(replace(whole, sequence=3, head=whole.rows[2].hash))[0]


@given(st.integers(1, 40), st.data())
def test_a_proof_leads_from_its_leaf_to_the_root_and_from_no_other(number: int, data: st.DataObject) -> None:
    leaves = [f"leaf {place}".encode() for place in range(number)]
    place = data.draw(st.integers(0, number - 1))
    root, shown = merkle.merkle_root(leaves), merkle.inclusion_proof(leaves, place)
    assert merkle.verify_inclusion(leaves[place], shown, root)
    assert not merkle.verify_inclusion(b"another", shown, root)
    assert not merkle.verify_inclusion(leaves[place], shown, merkle.merkle_root([*leaves, b"one more"]))


def test_a_merkle_tree_without_leaves_has_a_defined_root() -> None:
    assert merkle.merkle_root([]) != merkle.merkle_root([b""])


def test_canonical_bytes_do_not_depend_on_the_order_of_fields() -> None:
    assert hash_chain.canonical_json({"b": "投诉", "a": AT}) == hash_chain.canonical_json({"a": AT, "b": "投诉"})


NIGHT = {
    "id": "night",
    "version": 7,
    "zone": "Europe/Berlin",
    "schedule": "none",
    "hours": {"sat": ["00:00-24:00"], "mon": ["08:30-12:15", "13:00-17:00"]},
    "days": {"2026-12-24": "off", "2026-12-27": ["10:00-11:00"]},
    "published_until": "2026-12-31",
}


@pytest.mark.parametrize("calendar", [default_calendar(), Calendar.parse(NIGHT)], ids=["china", "night"])
def test_a_stored_calendar_is_restored_unchanged(calendar: Calendar) -> None:
    again = Calendar.parse(bases.calendar_to_dict(calendar))
    for name in ("id", "version", "zone", "hours", "published_until"):
        assert getattr(again, name) == getattr(calendar, name)
    assert dict(again.days) == dict(calendar.days)


def test_a_decision_context_has_no_addresses_and_is_restored_under_its_hash() -> None:
    people = [{"id": "li", "name": "李明", "email": "li@example.org", "phone": "13800000000", "token_sha256": "ab", "keys": {"k": "v"}}]
    organisation = Organisation.model_validate(
        {"id": "estate", "people": people, "sources": [{"id": "web", "procedure": "hunan-property"}]}
    )
    made = bases.capture_context(organisation, {"default": default_calendar()})
    assert not any(secret in made.content for secret in (b"example.org", b"138", b"token", b"keys", b"hunan"))
    again = bases.parse_context(made.content)
    assert bases.capture_context(again.organisation, again.calendars).content == made.content
    assert "李明".encode() not in bases.without_names(made).content
    assert "李明".encode() in bases.without_names(made, frozenset({"李明"})).content
