"""Reads and writes the queue: opens and ends reviews, leases them to people by the clock of the database, lists them by keyset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson

from services.sla.domain.lifecycle.case import Case
from services.sla.storage.case_list import VISIBLE_CASES, CasePosition, Conditions, VisibleCases
from shared.runtime.database.database import Transaction
from shared.runtime.database.retention import ROWS_IN_A_STEP

_OPEN = """
INSERT INTO review (case_id, opened_by, reason, suggested, confidence, opened_at, model, guesses)
SELECT case_id, opened_by, reason, suggested, confidence, opened_at, model, guesses::jsonb
FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::float8[], $6::timestamptz[], $7::text[], $8::text[])
    AS new (case_id, opened_by, reason, suggested, confidence, opened_at, model, guesses)
"""
_END = """
UPDATE review SET ended_at = ended.ended_at, decided_by = ended.decided_by, outcome = ended.outcome, labels = ended.labels::jsonb,
    checks = ended.checks::jsonb, agreed = ended.agreed
FROM unnest($1::text[], $2::int[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[])
    AS ended (case_id, opened_by, ended_at, decided_by, outcome, labels, checks, agreed)
WHERE review.case_id = ended.case_id AND review.opened_by = ended.opened_by
"""
# The clock of the database, since processes with clocks of their own would take over each other's leases.
_TAKE = """
UPDATE review SET taken_by = $2, taken_until = now() + $3::interval
WHERE case_id = $1 AND ended_at IS NULL AND (taken_by IN ('', $2) OR taken_until <= now())
RETURNING taken_until
"""
_DELETE_ENDED = """
DELETE FROM review USING (
    SELECT case_id, opened_by FROM review
     WHERE ended_at < $1 AND NOT EXISTS (SELECT FROM legal_hold WHERE legal_hold.case_id = review.case_id)
     ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS past
WHERE review.case_id = past.case_id AND review.opened_by = past.opened_by
"""
_RELEASE = "UPDATE review SET taken_by = '', taken_until = NULL WHERE case_id = $1 AND taken_by = $2 AND ended_at IS NULL RETURNING case_id"
_FIND_OPEN = "SELECT taken_by, taken_until, taken_until > now() AS taken FROM review WHERE case_id = $1 AND ended_at IS NULL"
# As text: SQLAlchemy's dialect sets a codec for JSON on its connections, a plain one has none.
_PAGE = """
SELECT id, state, reason, suggested, confidence, opened_at, model, guesses::text AS guesses,
    CASE WHEN taken_until > now() THEN taken_by ELSE '' END AS taken_by, CASE WHEN taken_until > now() THEN taken_until END AS taken_until
FROM review JOIN cases ON id = case_id
"""


class OpenedReview(NamedTuple):
    """A new review; `opened_by` is the number of the event that opened it, `suggested` the department that leads or is the likeliest."""

    case_id: str
    opened_by: int
    reason: str
    suggested: str
    confidence: float
    opened_at: datetime
    model: str
    guesses: str


class EndedReview(NamedTuple):
    """The end of a review; `agreed` states whether all first guesses were right, None where no one judged them."""

    case_id: str
    opened_by: int
    ended_at: datetime
    decided_by: str
    outcome: str
    labels: str
    checks: str
    agreed: bool | None


class TakenReview(NamedTuple):
    """The person who works on an open review, and until when; `person` is empty for none."""

    person: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """Conditions of the reader that all hold; None is no condition."""

    department: str | None = None
    reason: str | None = None
    opened_before: datetime | None = None
    confidence_below: float | None = None
    confidence_from: float | None = None
    free: bool | None = None


@dataclass(frozen=True, slots=True)
class QueuedReview:
    """An open review with its case."""

    case: Case
    reason: str
    suggested: str
    confidence: float
    opened_at: datetime
    model: str
    guesses: list[dict[str, Any]]
    taken_by: str
    taken_until: datetime | None

    @property
    def position(self) -> CasePosition:
        """Where the page after this review begins."""
        return CasePosition(self.opened_at, self.case.id)


async def save_changes(tx: Transaction, opened: Sequence[OpenedReview], ended: Sequence[EndedReview]) -> None:
    """Open reviews, then end reviews: one that is opened and ended in the same transaction is found."""
    for statement, rows in ((_OPEN, opened), (_END, ended)):
        if rows:
            await tx.execute(statement, *(list(column) for column in zip(*rows, strict=True)))


async def take(tx: Transaction, case_id: str, person: str, lease: timedelta) -> datetime | None:
    """Lease the open review of a case to a person, or extend his lease; None if there is none, or another person holds it."""
    until: datetime | None = await tx.fetchval(_TAKE, case_id, person, lease)
    return until


async def release(tx: Transaction, case_id: str, person: str) -> bool:
    """Give a lease back; False if the person holds none."""
    return await tx.fetchval(_RELEASE, case_id, person) is not None


async def delete_ended(tx: Transaction, before: datetime) -> int:
    """Delete at most a step of the reviews that ended before an instant, the oldest first; returns how many.

    Open reviews stay, and those of cases under a legal hold.
    """
    return int((await tx.execute(_DELETE_ENDED, before, ROWS_IN_A_STEP)).split()[-1])


async def find_open(tx: Transaction, case_id: str) -> TakenReview | None:
    """The person who works on the open review of a case; None if the case has none."""
    row = await tx.fetchrow(_FIND_OPEN, case_id)
    if row is None:
        return None
    return TakenReview(row["taken_by"], row["taken_until"]) if row["taken"] else TakenReview("", None)


def page_query(where: ReviewFilter, visible: VisibleCases | None, after: CasePosition | None, limit: int) -> tuple[str, list[Any]]:
    """The statement of a page, oldest first, and its parameters; `visible` None is every case."""
    conditions = Conditions()
    conditions.add("ended_at IS NULL")
    if where.department is not None:
        conditions.add("(department = {0} OR (department = '' AND suggested = {0}))", where.department)
    if where.reason is not None:
        conditions.add("reason = {0}", where.reason)
    if where.opened_before is not None:
        conditions.add("opened_at < {0}", where.opened_before)
    if where.confidence_below is not None:
        conditions.add("confidence < {0}", where.confidence_below)
    if where.confidence_from is not None:
        conditions.add("confidence >= {0}", where.confidence_from)
    if where.free is not None:
        free = "(taken_until IS NULL OR taken_until <= now())"
        conditions.add(free if where.free else f"NOT {free}")
    if visible is not None:
        conditions.add(VISIBLE_CASES, list(visible.departments), list(visible.handlers))
    if after is not None:
        conditions.add("(opened_at, case_id) > ({0}, {1})", *after)
    return f"{_PAGE} WHERE {' AND '.join(conditions.texts)} ORDER BY opened_at, case_id LIMIT {limit:d}", conditions.parameters


async def load_page(
    tx: Transaction, where: ReviewFilter, visible: VisibleCases | None, after: CasePosition | None, limit: int
) -> list[QueuedReview]:
    """Up to `limit` open reviews after a position, oldest first."""
    statement, parameters = page_query(where, visible, after, limit)
    names = ("reason", "suggested", "confidence", "opened_at", "model", "taken_by", "taken_until")
    return [
        QueuedReview(
            case=Case.from_dict(orjson.loads(row["state"])),
            guesses=orjson.loads(row["guesses"]),
            **{name: row[name] for name in names},
        )
        for row in await tx.fetch(statement, *parameters)
    ]
