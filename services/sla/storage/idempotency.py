"""Table `action_key`: the Idempotency-Key of each HTTP action with what was asked and, once it is done, the answer; ids of records too.

A claim is committed before the action is decided, since the action may wait for unread input outside of any transaction; the answer
is stored in the transaction of the action itself, so that neither exists without the other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from shared.runtime.clock import uuid7
from shared.runtime.database.database import Transaction

CLAIM_EXPIRY = timedelta(minutes=2)
"""After it the process that claimed a key is taken for dead: longer than an action may wait and a statement may run."""
RETENTION = timedelta(days=31)
_PRUNED_AT_ONCE = 5000

# The clock of the database, since processes with clocks of their own would take over each other's claims.
_CLAIM = """
INSERT INTO action_key AS claimed (id, fingerprint, claim, claimed_at) VALUES ($1, $2, $3, now())
ON CONFLICT (id) DO UPDATE SET claim = excluded.claim, claimed_at = now()
WHERE claimed.answer IS NULL AND claimed.fingerprint = excluded.fingerprint AND claimed.claimed_at < now() - $4::interval
RETURNING id
"""
_FIND = "SELECT fingerprint, answer FROM action_key WHERE id = $1"
_ANSWER = "UPDATE action_key SET answer = $3 WHERE id = $1 AND claim = $2 AND answer IS NULL RETURNING id"
_RELEASE = "DELETE FROM action_key WHERE id = $1 AND claim = $2 AND answer IS NULL"
_REMEMBER = """
INSERT INTO action_key (id, fingerprint, claim, claimed_at, answer)
SELECT id, fingerprint, id, now(), '' FROM unnest($1::uuid[], $2::bytea[]) AS asked (id, fingerprint) ORDER BY id
ON CONFLICT DO NOTHING
"""
_FIND_REMEMBERED = "SELECT id, fingerprint FROM action_key WHERE id = ANY($1::uuid[])"
_PRUNE = "DELETE FROM action_key WHERE id IN (SELECT id FROM action_key WHERE claimed_at < now() - $1::interval LIMIT $2)"


@dataclass(frozen=True, slots=True)
class ClaimedKey:
    """A key that this request claimed; `claim` distinguishes it from a later claim of the same key."""

    id: UUID
    claim: UUID


@dataclass(frozen=True, slots=True)
class UsedKey:
    """A key that an earlier request claimed; `answer` is None while that one is being done."""

    same_request: bool
    answer: bytes | None


async def claim_key(tx: Transaction, actor_id: str, case_id: str, key: str, fingerprint: bytes) -> ClaimedKey | UsedKey:
    """Claim an actor's key for a case; the transaction has to be committed before the action is decided."""
    claimed = ClaimedKey(uuid5(NAMESPACE_URL, f"{actor_id}\n{case_id}\n{key}"), UUID(uuid7()))
    if await tx.fetchval(_CLAIM, claimed.id, fingerprint, claimed.claim, CLAIM_EXPIRY) is not None:
        return claimed
    found = await tx.fetchrow(_FIND, claimed.id)
    # Without a row the earlier request has failed in between and released the key: the client may send again at once.
    return UsedKey(same_request=True, answer=None) if found is None else UsedKey(found["fingerprint"] == fingerprint, found["answer"])


async def store_answer(tx: Transaction, key: ClaimedKey, answer: bytes) -> bool:
    """Store the answer in the action's transaction; False if another request has taken the claim over."""
    return await tx.fetchval(_ANSWER, key.id, key.claim, answer) is not None


async def release_key(tx: Transaction, key: ClaimedKey) -> None:
    """Give back a key whose action was not done; one with an answer stays, whatever answer the client got."""
    await tx.execute(_RELEASE, key.id, key.claim)


async def remember_records(tx: Transaction, fingerprints: Mapping[UUID, bytes]) -> None:
    """Store what was asked under the ids of records of case-actions, which are their keys."""
    if fingerprints:
        ids = [_record_key(record_id) for record_id in fingerprints]
        await tx.execute(_REMEMBER, ids, list(fingerprints.values()))


async def remembered_fingerprints(tx: Transaction, record_ids: Collection[UUID]) -> dict[UUID, bytes]:
    """The requests under these record ids, without those that are no longer stored."""
    by_key = {_record_key(record_id): record_id for record_id in record_ids}
    rows = await tx.fetch(_FIND_REMEMBERED, list(by_key))
    return {by_key[row["id"]]: row["fingerprint"] for row in rows}


def _record_key(record_id: UUID) -> UUID:
    return uuid5(NAMESPACE_URL, f"case-actions {record_id}")


async def prune_keys(tx: Transaction) -> int:
    """Delete up to 5,000 keys that are older than the retention; returns how many."""
    return int((await tx.execute(_PRUNE, RETENTION, _PRUNED_AT_ONCE)).split()[-1])
