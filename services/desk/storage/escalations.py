"""Reads the last escalation of cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from services.desk.domain.viewer import Viewer
from services.desk.storage.visibility import visible_to
from shared.runtime.database.database import Transaction

_LAST = """
SELECT DISTINCT ON (case_event.case_id) case_event.case_id, at, clause, body FROM case_row
  JOIN case_event ON case_event.case_id = case_row.case_id AND type = 'escalated'
 WHERE {where} ORDER BY case_event.case_id, case_event.sequence DESC
"""


@dataclass(frozen=True, slots=True)
class OpenEscalation:
    """When and by which clause and clock a case was escalated, on which rung of the ladder, and to whom."""

    at: datetime
    clause: str
    clock: str
    level: int
    recipients: tuple[str, ...]


async def load_last_escalations(tx: Transaction, case_ids: Sequence[str], viewer: Viewer) -> dict[str, OpenEscalation]:
    """Case id → its last escalation, for the cases that the viewer sees."""
    conditions = visible_to(viewer)
    conditions.add("case_row.case_id = ANY({0}::text[])", list(case_ids))
    rows = await tx.fetch(_LAST.format(where=conditions.where), *conditions.parameters)
    return {row["case_id"]: _escalation(row, orjson.loads(row["body"])) for row in rows}


def _escalation(row: Any, event: dict[str, Any]) -> OpenEscalation:
    return OpenEscalation(row["at"], row["clause"], event.get("clock", ""), event.get("level", 0), tuple(event.get("recipients", ())))
