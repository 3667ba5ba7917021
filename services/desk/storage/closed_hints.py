"""The people who have closed the first-run hints."""

from shared.runtime.database.database import Transaction


async def has_closed_hints(tx: Transaction, person: str) -> bool:
    """Whether the person has closed them, on any device."""
    return await tx.fetchrow("SELECT FROM closed_hints WHERE person = $1", person) is not None


async def close_hints(tx: Transaction, person: str) -> None:
    """Keep them closed; closing twice changes nothing."""
    await tx.execute("INSERT INTO closed_hints (person, closed_at) VALUES ($1, now()) ON CONFLICT (person) DO NOTHING", person)
