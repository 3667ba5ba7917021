"""Takes personal values out of the deliveries of some cases."""

from collections.abc import Sequence

from shared.runtime.database.database import Transaction

_PERSONAL = "address <> '' OR subject <> '' OR text <> '' OR line <> ''"
# A settled delivery has lost its texts already; one that failed before it was planned keeps its subject and text.
_ERASE = f"""
UPDATE delivery SET address = '', lane = '', subject = '', text = '', line = ''
WHERE case_id = ANY($1::text[]) AND settled_at IS NOT NULL AND ({_PERSONAL})
"""  # noqa: S608 - constants
_COUNT = f"SELECT count(*) FROM delivery WHERE case_id = ANY($1::text[]) AND ({_PERSONAL})"  # noqa: S608 - constants
_PENDING = """
SELECT EXISTS (
    SELECT FROM delivery AS one LEFT JOIN delivery AS carrier ON carrier.id = one.carrier
     WHERE one.case_id = ANY($1::text[]) AND (one.settled_at IS NULL OR (carrier.id IS NOT NULL AND carrier.settled_at IS NULL)))
"""


async def has_pending(tx: Transaction, cases: Sequence[str]) -> bool:
    """Whether messages about these cases are still being sent, alone or in a digest."""
    return bool(await tx.fetchval(_PENDING, list(cases)))


async def count_rows(tx: Transaction, cases: Sequence[str]) -> int:
    """The number of deliveries that hold an address or a text."""
    return int(await tx.fetchval(_COUNT, list(cases)))


async def erase_deliveries(tx: Transaction, cases: Sequence[str]) -> int:
    """Take addresses and texts out of settled deliveries; returns how many."""
    return int((await tx.execute(_ERASE, list(cases))).split()[-1])
