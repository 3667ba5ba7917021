"""Table `timer`: one row for each case with its next due instant, and the case's partition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from shared.runtime.database.database import Transaction
from shared.runtime.tracing.context import is_sampled

_NO_TRACES: Mapping[str, str | None] = MappingProxyType({})
BATCH_CASES = 500
"""The most cases whose timers fire in one transaction."""
# Every event of a case arms its timer again: the traceparent stays that of the event which set the instant.
_ARM = """
INSERT INTO timer (case_id, partition, due_at, traceparent)
SELECT case_id, partition, due_at, traceparent
FROM unnest($1::text[], $2::int[], $3::timestamptz[], $4::text[]) AS armed (case_id, partition, due_at, traceparent)
ORDER BY case_id
ON CONFLICT (case_id) DO UPDATE SET partition = excluded.partition, due_at = excluded.due_at,
    traceparent = CASE WHEN timer.due_at = excluded.due_at THEN timer.traceparent ELSE excluded.traceparent END
"""
_ARM_EARLIER = _ARM.replace("due_at = excluded.due_at,", "due_at = LEAST(timer.due_at, excluded.due_at),").replace(
    "timer.due_at = excluded.due_at THEN", "timer.due_at <= excluded.due_at THEN"
)
# DELETE alone locks in the order of its scan; the subquery locks in the order of the ids, as _ARM does.
_DISARM = "DELETE FROM timer WHERE case_id IN (SELECT case_id FROM timer WHERE case_id = ANY($1::text[]) ORDER BY case_id FOR UPDATE)"
# The partitions are read in the order of the array, each from its oldest timer, up to the limit. Sorted over all partitions, the
# statement would read a whole batch of each of them to use one: half of the CPU that PostgreSQL spent on a timer.
_DUE = """
SELECT due.case_id FROM unnest($1::int[], $2::timestamptz[]) AS owned (partition, cutoff)
CROSS JOIN LATERAL (
    SELECT timer.case_id FROM timer
    WHERE timer.partition = owned.partition AND timer.due_at <= owned.cutoff
      AND NOT EXISTS (SELECT FROM parked WHERE parked.key = timer.case_id) AND timer.case_id <> ALL($4::text[])
    ORDER BY timer.due_at LIMIT $3) AS due
LIMIT $3
"""
# Compared again under the locks of the cases: since _DUE a batch may have moved a timer or parked its case.
_TAKE_DUE = """
DELETE FROM timer USING unnest($2::int[], $3::timestamptz[]) AS owned (partition, cutoff)
WHERE timer.case_id = ANY($1::text[]) AND timer.partition = owned.partition AND timer.due_at <= owned.cutoff
  AND NOT EXISTS (SELECT FROM parked WHERE parked.key = timer.case_id)
RETURNING timer.case_id, timer.partition, timer.due_at, owned.cutoff, timer.traceparent
"""
_NEXT = """
SELECT owned.partition, next.due_at FROM unnest($1::int[]) AS owned (partition)
CROSS JOIN LATERAL (
    SELECT timer.due_at FROM timer WHERE timer.partition = owned.partition
      AND NOT EXISTS (SELECT FROM parked WHERE parked.key = timer.case_id)
    ORDER BY timer.due_at LIMIT 1) AS next
"""


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A case whose timer is due. What is due at or before `cutoff` may be decided, nothing later: only that much input has been read.

    Instants are in domain time. `traceparent` is that of the timer's span, as the parent of what it causes; None without one.
    """

    case_id: str
    partition: int
    due_at: datetime
    cutoff: datetime
    traceparent: str | None = None


async def arm(
    tx: Transaction, timers: Mapping[str, tuple[int, datetime | None]], traceparents: Mapping[str, str | None] = _NO_TRACES
) -> None:
    """Set the next due instant of each case, with the case's partition; None disarms the timer.

    `traceparents` are those of the events that arm the timers, by case.
    """
    # Sorted, so that transactions lock the rows in the same order.
    armed = sorted((case, partition, due) for case, (partition, due) in timers.items() if due is not None)
    disarmed = sorted(case for case, (_, due) in timers.items() if due is None)
    if armed:
        await tx.execute(_ARM, *_columns(armed, traceparents))
        _wake_before(tx, min(due for _, _, due in armed))
    if disarmed:
        await tx.execute(_DISARM, disarmed)


async def arm_earlier(
    tx: Transaction, timers: Mapping[str, tuple[int, datetime]], traceparents: Mapping[str, str | None] = _NO_TRACES
) -> None:
    """Set the due instant of each case where its timer is later or absent."""
    if timers:
        armed = sorted((case, partition, due) for case, (partition, due) in timers.items())
        await tx.execute(_ARM_EARLIER, *_columns(armed, traceparents))
        _wake_before(tx, min(due for _, _, due in armed))


async def next_due(tx: Transaction, partitions: Sequence[int]) -> dict[int, datetime]:
    """The earliest due instant of each partition, parked cases left out."""
    return {row["partition"]: row["due_at"] for row in await tx.fetch(_NEXT, partitions)}


async def find_due(tx: Transaction, cutoffs: Mapping[int, datetime], excluded: Sequence[str]) -> list[str]:
    """Up to BATCH_CASES cases whose timers are due by the cutoff of their partition, from the first of the partitions on."""
    rows = await tx.fetch(_DUE, list(cutoffs), list(cutoffs.values()), BATCH_CASES, excluded)
    return [row["case_id"] for row in rows]


async def take_due(tx: Transaction, cases: Sequence[str], cutoffs: Mapping[int, datetime]) -> list[DueTimer]:
    """Delete the timers of these cases that are still due, and return them, sorted by case."""
    rows = await tx.fetch(_TAKE_DUE, cases, list(cutoffs), list(cutoffs.values()))
    return sorted((DueTimer(**row) for row in rows), key=lambda timer: timer.case_id)


def _wake_before(tx: Transaction, due_at: datetime) -> None:
    """After the commit, end the wait of the timer loop if it would last longer than until this instant."""
    tx.after_commit(lambda: tx.database.timers_armed.note(due_at))


def _columns(armed: Sequence[tuple[str, int, datetime]], traceparents: Mapping[str, str | None]) -> list[Sequence[Any]]:
    cases, partitions, due_instants = zip(*armed, strict=True)
    # Only of sampled traces: there is nothing to link to others.
    return [cases, partitions, due_instants, [each if is_sampled(each := traceparents.get(case)) else None for case in cases]]
