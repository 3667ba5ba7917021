"""Elects one process of a service for what one does for all, such as counting; by a lease with the database's clock."""

from datetime import timedelta
from uuid import UUID

from shared.runtime.clock import uuid7
from shared.runtime.database.transaction import Transaction

# now() of the database: with clocks of their own, a process that is ahead would take a lease that another still holds.
# NOT EXISTS, since ON CONFLICT locks the row, and writes that to the log, even for a candidate whom its WHERE refuses.
_RENEW = """
INSERT INTO lease (name, holder, expires_at)
SELECT $1::text, $2::uuid, now() + $3::interval
WHERE NOT EXISTS (SELECT FROM lease WHERE name = $1::text AND holder <> $2::uuid AND expires_at >= now())
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
WHERE lease.holder = excluded.holder OR lease.expires_at < now()
RETURNING holder
"""
_RESIGN = "DELETE FROM lease WHERE name = $1 AND holder = $2"


class Election:
    """One candidate for the lease `name` of the service's schema; without a renewal another candidate is elected after `lease`.

    `elected`: it held the lease at its latest renewal.
    """

    def __init__(self, name: str, lease: timedelta) -> None:
        self._name = name
        self._lease = lease
        self._holder = UUID(uuid7())
        self.elected = False

    async def is_elected(self, tx: Transaction) -> bool:
        """Renew the lease, or take it if no one has it; whether this candidate holds it now."""
        self.elected = await tx.fetchval(_RENEW, self._name, self._holder, self._lease) is not None
        return self.elected

    async def resign(self, tx: Transaction) -> None:
        """Give the lease back, so that another candidate is elected at once."""
        self.elected = False
        await tx.execute(_RESIGN, self._name, self._holder)
