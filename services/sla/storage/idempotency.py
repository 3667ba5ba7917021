"""Claims the idempotency keys of HTTP actions, in the runtime's table `inbox`, which is pruned of old ids."""

from uuid import NAMESPACE_URL, uuid5

from shared.runtime.database.database import Transaction

_PSEUDO_TOPIC = "http-actions"
_CLAIM = "INSERT INTO inbox (id, topic) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id"


async def claim_key(tx: Transaction, actor_id: str, case_id: str, key: str) -> bool:
    """Claim an actor's key for a case; False if an earlier action has used it."""
    claim_id = uuid5(NAMESPACE_URL, f"{actor_id}\n{case_id}\n{key}")
    return await tx.fetchval(_CLAIM, claim_id, _PSEUDO_TOPIC) is not None
