"""Reads and writes table `basis`: the organisation and calendars that decisions were made with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from shared.runtime.database.database import Transaction

_INSERT = "INSERT INTO basis (stamp, calendar, content) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
_LOAD_OF_OTHER_CALENDARS = "SELECT DISTINCT ON (calendar) calendar, content FROM basis WHERE calendar <> ALL($1::text[])"
_LOAD = "SELECT stamp, calendar, content FROM basis"


class StoredDecisionContext(NamedTuple):
    """A decision context as stored: `stamp` is the hash of `content`, `calendar_stamp` that of the calendars alone."""

    stamp: str
    calendar_stamp: str
    content: bytes


async def insert_decision_context(tx: Transaction, context: StoredDecisionContext) -> None:
    """Store a context; one with the same stamp stays as it is."""
    await tx.execute(_INSERT, *context)


async def load_decision_contexts(tx: Transaction) -> list[StoredDecisionContext]:
    """All stored contexts."""
    return [StoredDecisionContext(*row) for row in await tx.fetch(_LOAD)]


async def load_contents_by_calendar(tx: Transaction, known_stamps: Iterable[str]) -> dict[str, bytes]:
    """The content of one context for each calendar stamp that is not among `known_stamps`."""
    return {row["calendar"]: row["content"] for row in await tx.fetch(_LOAD_OF_OTHER_CALENDARS, list(known_stamps))}
