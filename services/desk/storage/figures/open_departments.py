"""Open cases by department, for a viewer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.desk.domain.viewer import Viewer
from services.desk.storage.visibility import visible_to
from shared.runtime.database.database import Transaction

MAX_DEPARTMENTS = 12
"""Lines that a screen can show so large that the room reads them."""


async def load_open_departments(tx: Transaction, viewer: Viewer, now: datetime) -> list[Mapping[str, Any]]:
    """Department, open, late and escalated cases; those with the most late cases first."""
    conditions = visible_to(viewer)
    late = conditions.place("count(*) FILTER (WHERE due_at < {0})", now)
    statement = f"""
SELECT coalesce(nullif(department, ''), proposed) AS department, count(*) AS open, {late} AS late,
       count(*) FILTER (WHERE escalated) AS escalated
  FROM case_row WHERE state = 'open' AND {conditions.where} GROUP BY 1 ORDER BY 3 DESC, 2 DESC, 1 LIMIT {MAX_DEPARTMENTS}
"""  # noqa: S608 - our conditions
    return await tx.fetch(statement, *conditions.parameters)
