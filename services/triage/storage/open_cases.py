"""Counts open cases by lead department."""

from collections.abc import Collection

from shared.runtime.database.database import Transaction

_COUNT = """
SELECT department, count(*) AS number FROM known JOIN concerned USING (case_id)
WHERE ended = '' AND department = ANY($1::text[]) GROUP BY department
"""


async def count_by_department(tx: Transaction, departments: Collection[str]) -> dict[str, int]:
    """Return the number of open cases of each of these departments that leads any."""
    return {row["department"]: row["number"] for row in await tx.fetch(_COUNT, sorted(departments))}
