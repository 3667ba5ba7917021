"""What was refused."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.runtime.database.database import Transaction


@dataclass(frozen=True, slots=True)
class RefusedSubmission:
    """A submission that was not accepted: where it came from and why, without its content."""

    via: str
    source: str
    reference: str
    reason: str
    faults: str


_INSERT_REFUSALS = """
INSERT INTO refusal (via, source, reference, reason, faults)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
"""


async def insert_refusals(tx: Transaction, refusals: Sequence[RefusedSubmission]) -> None:
    """Keep what was refused, so that somebody can see it."""
    if refusals:
        values = [(r.via, r.source, r.reference, r.reason, r.faults) for r in refusals]
        await tx.execute(_INSERT_REFUSALS, *(list(column) for column in zip(*values, strict=True)))
