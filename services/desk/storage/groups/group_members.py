"""Reads the rows of the members of a group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.desk.domain.viewer import Viewer
from services.desk.storage.visibility import visible_to
from shared.runtime.database.database import Transaction

_ROWS = "SELECT case_id, number, procedure, version, title, state, due_at, handler, department FROM case_row WHERE {where}"


async def load_members(tx: Transaction, case_ids: Sequence[str], viewer: Viewer) -> dict[str, Mapping[str, Any]]:
    """Case id → its row, for the cases that the viewer sees."""
    conditions = visible_to(viewer)
    conditions.add("case_id = ANY({0}::text[])", list(case_ids))
    rows = await tx.fetch(_ROWS.format(where=conditions.where), *conditions.parameters)
    return {row["case_id"]: row for row in rows}
