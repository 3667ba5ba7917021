"""Reads and writes table `concerned`: the departments and the handler that a case concerns."""

from collections.abc import Collection, Mapping

from shared.procedures.access import CaseParties
from shared.runtime.database.database import Transaction

_COLUMNS = "case_id, department, proposed, cooperating, handler"
_SELECT = f"SELECT {_COLUMNS} FROM concerned WHERE case_id = ANY($1::text[])"  # noqa: S608 - constants
# Sorted, so that concurrent transactions lock rows in the same order. Arrays of arrays must be rectangular, hence the joined text.
_UPSERT = """
INSERT INTO concerned (case_id, department, proposed, cooperating, handler)
SELECT case_id, department, proposed, string_to_array(cooperating, E'\\x1f'), handler
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS new (case_id, department, proposed, cooperating, handler)
ORDER BY case_id
ON CONFLICT (case_id) DO UPDATE SET department = excluded.department, proposed = excluded.proposed,
    cooperating = excluded.cooperating, handler = excluded.handler
"""
_SEPARATOR = "\x1f"


async def find_parties(tx: Transaction, case_ids: Collection[str]) -> dict[str, CaseParties]:
    """Whom each of these cases concerns, by case id; without those that no route has reached."""
    rows = await tx.fetch(_SELECT, sorted(case_ids)) if case_ids else []
    return {
        row["case_id"]: CaseParties(
            department=row["department"], proposed=row["proposed"], cooperating=tuple(row["cooperating"]), handler=row["handler"]
        )
        for row in rows
    }


async def save_parties(tx: Transaction, parties: Mapping[str, CaseParties]) -> None:
    """Insert or update whom these cases concern."""
    if parties:
        rows = [(case, p.department, p.proposed, _SEPARATOR.join(p.cooperating), p.handler) for case, p in parties.items()]
        await tx.execute(_UPSERT, *(list(column) for column in zip(*rows, strict=True)))
