"""How often each clause of a procedure was applied, counted in the read model over the cases that a person sees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.desk.domain.viewer import Viewer
from services.desk.storage.visibility import visible_to
from shared.runtime.database.database import Transaction


@dataclass(frozen=True, slots=True)
class ClauseFigures:
    """Rounds of clocks by their clause: all, ended in time, missed, still running."""

    applied: int
    in_time: int
    late: int
    running: int


async def load_clause_figures(tx: Transaction, procedure: str, since: datetime, viewer: Viewer) -> dict[str, ClauseFigures]:
    """The figures by clause, of cases of the procedure that were received at or after an instant."""
    conditions = visible_to(viewer)
    conditions.add("case_row.procedure = {0}", procedure)
    conditions.add("case_row.received_at >= {0}", since)
    rows = await tx.fetch(
        f"""
        SELECT run.clause, count(*) AS applied, count(*) FILTER (WHERE run.breached_at IS NOT NULL) AS late,
               count(*) FILTER (WHERE run.breached_at IS NULL AND run.state = 'stopped') AS in_time,
               count(*) FILTER (WHERE run.state IN ('running', 'paused')) AS running
          FROM case_row JOIN case_deadline run USING (case_id)
         WHERE {conditions.where} AND run.clause <> '' GROUP BY run.clause
        """,  # noqa: S608 - our conditions
        *conditions.parameters,
    )
    return {row["clause"]: ClauseFigures(row["applied"], row["in_time"], row["late"], row["running"]) for row in rows}
