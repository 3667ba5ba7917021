"""Counts deliveries that finally failed."""

from collections.abc import Mapping
from datetime import datetime

from shared.runtime.database.database import Transaction

# The code of the provider behind the reason's first word is not asked for.
_FAILED = """
SELECT channel, split_part(reason, ':', 1) AS reason, count(*) AS number FROM delivery
WHERE status = 'failed' AND settled_at > $1 GROUP BY channel, split_part(reason, ':', 1)
"""


async def count_failed_since(tx: Transaction, since: datetime) -> Mapping[tuple[str, str], int]:
    """By channel and reason: the deliveries that failed since an instant of real time."""
    return {(row["channel"], row["reason"]): row["number"] for row in await tx.fetch(_FAILED, since)}
