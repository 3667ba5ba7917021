"""How often each clause of a procedure was applied, counted in the read model over the cases that a person sees."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

from services.desk.domain.viewer import Viewer
from services.desk.storage.visibility import visible_to
from shared.contracts.events import EVENT_CLASSES
from shared.runtime.database.database import Transaction

DEEMED_EVENTS: Final = sorted(name for name in EVENT_CLASSES if "_deemed_" in name)
"""Events that replace an act which no one took in time."""
# A breach is late whatever came of the round; so is a round that ended after its instant where the clause does not speak of a breach.
_LATE: Final = "(run.breached_at IS NOT NULL OR (run.state = 'stopped' AND run.ended_at > run.due_at))"


@dataclass(frozen=True, slots=True)
class ClauseFigures:
    """Rounds of clocks by their clause: all, ended in time, late, still running, cancelled; and acts deemed by the clause."""

    applied: int = 0
    in_time: int = 0
    late: int = 0
    running: int = 0
    cancelled: int = 0
    deemed: int = 0


FIGURE_NAMES: Final = tuple(field.name for field in fields(ClauseFigures))


async def load_clause_figures(tx: Transaction, procedure: str, since: datetime, viewer: Viewer) -> dict[str, ClauseFigures]:
    """The figures by clause, of cases of the procedure that were received at or after an instant."""
    conditions = visible_to(viewer)
    conditions.add("case_row.procedure = {0}", procedure)
    conditions.add("case_row.received_at >= {0}", since)
    where = conditions.where
    deemed = conditions.place("event.type = ANY({0}::text[])", DEEMED_EVENTS)
    rows = await tx.fetch(
        f"""
        WITH seen AS MATERIALIZED (SELECT case_id FROM case_row WHERE {where}),
        counted AS (
            SELECT run.clause, 1 AS applied, (run.state = 'stopped' AND NOT {_LATE})::int AS in_time, ({_LATE})::int AS late,
                   (run.state IN ('running', 'paused'))::int AS running, (run.state = 'cancelled')::int AS cancelled, 0 AS deemed
              FROM seen JOIN case_deadline run USING (case_id)
            UNION ALL
            SELECT event.clause, 0, 0, 0, 0, 0, 1 FROM seen JOIN case_event event USING (case_id) WHERE {deemed}
        )
        SELECT clause, {", ".join(f"sum({name}) AS {name}" for name in FIGURE_NAMES)} FROM counted WHERE clause <> '' GROUP BY clause
        """,  # noqa: S608 - our conditions
        *conditions.parameters,
    )
    return {row["clause"]: ClauseFigures(*(row[name] for name in FIGURE_NAMES)) for row in rows}
