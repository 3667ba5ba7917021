"""Assigns the numbers of notify's events per case: table `case_sequence`."""

from collections import Counter
from collections.abc import Sequence

from shared.runtime.database.database import Transaction

# Ordered by case: two transactions that lock the same rows cannot deadlock.
_NEXT_NUMBERS = """
INSERT INTO case_sequence AS known (case_id, value)
SELECT case_id, added FROM unnest($1::text[], $2::bigint[]) AS new (case_id, added) ORDER BY case_id
ON CONFLICT (case_id) DO UPDATE SET value = known.value + excluded.value RETURNING case_id, value
"""


async def next_sequence_numbers(tx: Transaction, case_ids: Sequence[str]) -> list[int]:
    """The next event number of each of these cases, in their order; a case that occurs twice gets two numbers.

    The case's row stays locked until the commit, so its events reach the outbox in the order of their numbers.
    """
    counts = Counter(case_ids)
    sorted_ids = sorted(counts)
    rows = await tx.fetch(_NEXT_NUMBERS, sorted_ids, [counts[case_id] for case_id in sorted_ids])
    last_numbers = {row["case_id"]: row["value"] - counts[row["case_id"]] for row in rows}
    numbers: list[int] = []
    for case_id in case_ids:
        last_numbers[case_id] += 1
        numbers.append(last_numbers[case_id])
    return numbers
