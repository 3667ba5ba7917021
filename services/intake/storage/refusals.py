"""Writes refused submissions (table `refusal`)."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.runtime.database.database import Transaction

_INSERT_REFUSALS = """
INSERT INTO refusal (via, source, reference, reason, faults)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
"""


@dataclass(frozen=True, slots=True)
class RefusedSubmission:
    """A submission that was not registered: its source, the reason and the faults as JSON, without its content."""

    via: str
    source: str
    reference: str
    reason: str
    faults: str


async def insert_refusals(tx: Transaction, refusals: Sequence[RefusedSubmission]) -> None:
    """Insert refusals, for operators to look up."""
    if refusals:
        rows = [(r.via, r.source, r.reference, r.reason, r.faults) for r in refusals]
        await tx.execute(_INSERT_REFUSALS, *(list(column) for column in zip(*rows, strict=True)))
