"""Reads the open cases as groups that the same people see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.desk.domain.open_groups import ChoiceGroup, OpenGroup
from shared.runtime.database.database import Transaction

_COUNT = """
SELECT seen_by, against, count(*) AS open, count(*) FILTER (WHERE due_at < $1) AS late,
       count(*) FILTER (WHERE due_at >= $1 AND due_at < $2) AS today, count(*) FILTER (WHERE handler = '') AS unassigned,
       count(*) FILTER (WHERE escalated) AS escalated
  FROM case_row WHERE state = 'open' GROUP BY seen_by, against
"""
_CHOICES = """
SELECT seen_by, against, procedure, class, department FROM case_row WHERE state = 'open'
 GROUP BY seen_by, against, procedure, class, department
"""
# Workers beside each other take three times the processor time, which the pages of other people need.
_ALONE = "SELECT set_config('max_parallel_workers_per_gather', '0', true)"


async def load_open_groups(tx: Transaction, now: datetime, midnight: datetime) -> Sequence[OpenGroup]:
    """The numbers of open cases by who sees them; `midnight` ends today."""
    await tx.execute(_ALONE)
    rows = await tx.fetch(_COUNT, now, midnight)
    return [OpenGroup(frozenset(seen_by), frozenset(against), *numbers) for seen_by, against, *numbers in rows]


async def load_choice_groups(tx: Transaction) -> Sequence[ChoiceGroup]:
    """The values of open cases by who sees them."""
    await tx.execute(_ALONE)
    rows = await tx.fetch(_CHOICES)
    return [ChoiceGroup(frozenset(seen_by), frozenset(against), tuple(values)) for seen_by, against, *values in rows]
