"""Assigns the numbers of notify's events per case: table `case_sequence`."""

from collections import Counter
from collections.abc import Sequence

from shared.runtime.database.database import Transaction

_NEXT_NUMBERS = """
INSERT INTO case_sequence AS known (case_id, value)
SELECT case_id, added FROM unnest($1::text[], $2::bigint[]) AS new (case_id, added) ORDER BY case_id
ON CONFLICT (case_id) DO UPDATE SET value = known.value + excluded.value RETURNING case_id, value
"""


async def next_sequence_numbers(tx: Transaction, case_ids: Sequence[str]) -> list[int]:
    """The next running number of each of these cases; a case's row stays locked until the commit, so its events keep their order."""
    counts = Counter(case_ids)
    listed = sorted(counts)
    rows = await tx.fetch(_NEXT_NUMBERS, listed, [counts[case] for case in listed])
    following = {row["case_id"]: row["value"] - counts[row["case_id"]] for row in rows}
    taken: list[int] = []
    for case in case_ids:
        following[case] += 1
        taken.append(following[case])
    return taken
