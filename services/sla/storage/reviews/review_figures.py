"""Figures over reviews, and decided ones as training data."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from shared.runtime.database.database import Transaction

_OPEN = "SELECT reason, count(*) AS number, min(opened_at) AS oldest FROM review WHERE ended_at IS NULL GROUP BY reason"
# The latest only: the measurement runs every few seconds, and a model is judged by what it does now.
_DECIDED = """
SELECT reason, agreed, checks::text AS checks FROM review WHERE agreed IS NOT NULL AND ended_at > $1 ORDER BY ended_at DESC LIMIT $2
"""
_MOST_DECIDED: Final = 5_000
_EXPORTED: Final = 500
_EXPORT = """
SELECT case_id, opened_by, ended_at, outcome, labels::text AS labels, state FROM review JOIN cases ON id = case_id
WHERE outcome IN ('confirmed', 'corrected') AND ended_at >= $1 AND (ended_at, case_id, opened_by) > ($2, $3, $4)
ORDER BY ended_at, case_id, opened_by LIMIT $5
"""


@dataclass(frozen=True, slots=True)
class OpenReviews:
    """The number of open reviews with a reason, and when the oldest was opened."""

    number: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class DecidedReview:
    """A decision on a review: why it was up, whether all first guesses were right, and each guess with its probability."""

    reason: str
    agreed: bool
    checks: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class LearnedDecision:
    """A decision with the complaint that it is about, as the case holds it now."""

    case_id: str
    decided_at: datetime
    outcome: str
    labels: dict[str, str]
    complaint: dict[str, Any]


async def count_open(tx: Transaction) -> dict[str, OpenReviews]:
    """The queue by reason; without reasons that no review waits for."""
    return {row["reason"]: OpenReviews(row["number"], row["oldest"]) for row in await tx.fetch(_OPEN)}


async def load_decided(tx: Transaction, since: datetime) -> list[DecidedReview]:
    """The latest decisions on reviews since an instant."""
    rows = await tx.fetch(_DECIDED, since, _MOST_DECIDED)
    return [DecidedReview(row["reason"], row["agreed"], orjson.loads(row["checks"])) for row in rows]


async def decisions_to_learn(tx: Transaction, since: datetime) -> AsyncIterator[LearnedDecision]:
    """Every decision since an instant, oldest first, in pages: an export of years does not fill the memory."""
    position = (since, "", 0)
    while rows := await tx.fetch(_EXPORT, since, *position, _EXPORTED):
        for row in rows:
            complaint = orjson.loads(row["state"])["complaint"]
            yield LearnedDecision(row["case_id"], row["ended_at"], row["outcome"], orjson.loads(row["labels"]), complaint)
        position = (rows[-1]["ended_at"], rows[-1]["case_id"], rows[-1]["opened_by"])
