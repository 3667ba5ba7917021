"""Measures the outbox: its gauges, and in every process the reason that follows the age of its oldest message."""

from shared.runtime.database.database import Transaction
from shared.runtime.process import metrics
from shared.runtime.process.health import Health

MAX_AGE_SECONDS = 60.0
"""Older messages degrade the process; the alert OutboxStuck has the same threshold."""
_AGE = "SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 FROM outbox"
_BACKLOG = "SELECT coalesce(sum(messages), 0) AS size, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS age FROM outbox"


async def measure_backlog(tx: Transaction) -> None:
    """Set the gauges."""
    row = await tx.fetchrow(_BACKLOG)
    if row is not None:
        metrics.OUTBOX_MESSAGES.set(row["size"])
        metrics.OUTBOX_AGE.set(row["age"])


async def check_backlog(tx: Transaction, health: Health) -> None:
    """Report or clear the trouble `outbox`."""
    age = await tx.fetchval(_AGE)
    if age > MAX_AGE_SECONDS:
        health.set_trouble("outbox", f"the oldest message has not been sent for {age:.0f} s; see the runbook of the outbox")
    else:
        health.clear_trouble("outbox")
