"""The stored state of a case, and the rows of it in a frozen list, without personal values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.sla.domain.lifecycle.findings.records import subject_key
from shared.contracts.erasure.personal_values import ERASED, PERSONAL_NAMES, erased_complaint, erased_fields, erased_names


def erased_state(state: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """The state of a case, read from JSON, as a replay of its erased events gives it."""
    findings = state.get("findings", {})
    return {
        **state,
        "complaint": erased_complaint(state["complaint"], key),
        "facts": erased_fields({"facts": state["facts"]}, key)["facts"],
        "complainant_keys": erased_names(state["complainant_keys"], key),
        "last": {event: _erased_last(event, fields, key) for event, fields in state["last"].items()},
        "findings": {
            **findings,
            **{name: _erased_households(findings[name], key) for name in ("agreements", "compensations") if name in findings},
        },
        "duplicates": [{**duplicate, "keys": erased_names(duplicate["keys"], key)} for duplicate in state["duplicates"]],
    }


def _erased_last(event: str, fields: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    erased = erased_fields({**fields, "type": event}, key)
    return {name: erased[name] for name in fields}


def _erased_households(answers: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    return {subject_key(erased_names([household], key)[0]): answer for household, answer in answers.items()}


def erased_rows(part: Sequence[Sequence[Any]], cases: frozenset[str], reads: Sequence[Sequence[Sequence[str]]]) -> list[list[Any]]:
    """A part of a frozen list without the personal texts of some cases; `reads` are the paths that each column reads."""
    personal = [any(not PERSONAL_NAMES.isdisjoint(path) for path in paths) for paths in reads]
    return [[case, _erased_cells(cells, personal) if case in cases else cells] for case, cells in part]


def _erased_cells(cells: Sequence[Any], personal: Sequence[bool]) -> list[Any]:
    return [ERASED if erase and isinstance(cell, str) and cell else cell for cell, erase in zip(cells, personal, strict=True)]
