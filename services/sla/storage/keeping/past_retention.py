"""Finds what is past its retention: ended cases, and the attachments that only such cases name."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from shared.runtime.database.database import Transaction

# An erased case, on which nothing has happened since, has nothing to erase.
_ENDED = """
FROM cases WHERE status <> 'open' AND changed_at < $1 AND NOT EXISTS (SELECT FROM legal_hold WHERE case_id = id)
    AND NOT EXISTS (SELECT FROM ledger WHERE case_id = id AND ledger.sequence = cases.sequence AND type = 'person_erased')
"""
_PAGE = f"SELECT id {_ENDED} AND id > $2 ORDER BY id LIMIT $3"
_COUNT = f"SELECT count(*) AS cases, min(changed_at) AS oldest {_ENDED}"
_HELD = "SELECT count(*) FROM cases JOIN legal_hold ON case_id = id WHERE status <> 'open' AND changed_at < $1"
# One pass over the ledger: an attachment may be named by any event of any case, and there is no index of what events name.
_STILL_NAMED = r"""
SELECT DISTINCT (regexp_matches(convert_from(body, 'UTF8'), 'sha256:([0-9a-f]{64})', 'g'))[1] AS digest
FROM ledger JOIN cases ON cases.id = case_id
WHERE position('sha256:'::bytea IN body) > 0
    AND (status = 'open' OR changed_at >= $1 OR EXISTS (SELECT FROM legal_hold WHERE legal_hold.case_id = cases.id))
"""


async def find_ended(tx: Transaction, before: datetime, after_id: str, limit: int) -> list[str]:
    """The next ended cases, in the order of their ids, on which nothing has happened since an instant, and which nothing holds."""
    return [row["id"] for row in await tx.fetch(_PAGE, before, after_id, limit)]


async def count_ended(tx: Transaction, before: datetime) -> tuple[int, datetime | None, int]:
    """The number of cases that `find_ended` finds, the instant of the oldest one's last event, and how many are kept by a legal hold."""
    row = (await tx.fetch(_COUNT, before))[0]
    return row["cases"], row["oldest"], int(await tx.fetchval(_HELD, before))


async def find_named_attachments(tx: Transaction, since: datetime) -> Collection[str]:
    """The digests that cases name which are open, held, or had an event since an instant; reads the whole ledger."""
    return {row["digest"] for row in await tx.fetch(_STILL_NAMED, since)}
