"""Reads and writes table `link_proposal`: links that triage proposed, and what a person decided on each."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from shared.runtime.database.database import Transaction


class LinkProposalRow(NamedTuple):
    """One proposal: to link `case_id` to the earlier `to_case`, by a rule of the procedure."""

    case_id: str
    to_case: str
    at: datetime
    clause: str


# Proposed again after a person's decision, by an amendment of the matter, it is his decision that holds.
_INSERT = """
INSERT INTO link_proposal (case_id, to_case, at, clause, decision)
SELECT case_id, to_case, at, clause, '' FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[])
    WITH ORDINALITY AS new (case_id, to_case, at, clause, number) ORDER BY number
ON CONFLICT DO NOTHING
"""
_DECIDE = """
UPDATE link_proposal SET decision = $3, decided_at = $4 WHERE case_id = $1 AND to_case = $2 OR case_id = $2 AND to_case = $1
"""
_SELECT = """
SELECT * FROM link_proposal WHERE decision {} '' AND (at, case_id, to_case) < ($1, $2, $3)
ORDER BY at DESC, case_id DESC, to_case DESC LIMIT $4
"""
_SELECT_OPEN, _SELECT_DECIDED = _SELECT.format("="), _SELECT.format("<>")  # each has an index of its own


async def add_proposals(tx: Transaction, rows: Sequence[LinkProposalRow]) -> None:
    """Insert proposals that are not known yet."""
    if rows:
        await tx.execute(_INSERT, *(list(column) for column in zip(*rows, strict=True)))


async def decide_proposals(tx: Transaction, decisions: Sequence[tuple[str, str, str, datetime]]) -> None:
    """Store what people decided, in order: (case, other case, decision, instant), in either direction."""
    if decisions:
        await tx.executemany(_DECIDE, decisions)


async def find_proposals(tx: Transaction, *, is_open: bool, before: tuple[datetime, str, str], limit: int) -> list[Mapping[str, Any]]:
    """Proposals before a position, the latest first: those that wait for a decision, or those that were decided."""
    return list(await tx.fetch(_SELECT_OPEN if is_open else _SELECT_DECIDED, *before, limit))
