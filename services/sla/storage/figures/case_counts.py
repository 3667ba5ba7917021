"""Counts open cases for the gauges; each count reads one partial index and no row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.runtime.database.database import Transaction

# An index-only scan of cases_open: 1,000,000 open cases in docs/reference/figures-performance.md. The age is counted in the same pass,
# since a second one would double the cost.
OPEN = """
SELECT procedure, class, department, width_bucket($1 - received_at, $2::interval[]) AS age, count(*) AS number,
    count(*) FILTER (WHERE breached) AS breached, count(*) FILTER (WHERE escalated) AS escalated
FROM cases WHERE status = 'open' GROUP BY procedure, class, department, age
"""
_DUE = """
SELECT procedure, department, count(*) FILTER (WHERE due_at <= $1) AS overdue, {counts}
FROM cases WHERE due_at <= $1::timestamptz + $2::interval GROUP BY procedure, department
"""


@dataclass(frozen=True, slots=True)
class OpenCount:
    """Open cases that share procedure, class, department and age: how many, with a missed deadline, with an unfinished escalation."""

    procedure: str
    class_: str
    department: str
    age: int
    number: int
    breached: int
    escalated: int


@dataclass(frozen=True, slots=True)
class DueCount:
    """Cases of a procedure and department whose next deadline has passed, and those for which it comes within each of some times."""

    procedure: str
    department: str
    overdue: int
    within: tuple[int, ...]


async def count_open_cases(tx: Transaction, now: datetime, ages: Sequence[timedelta]) -> list[OpenCount]:
    """The open cases at an instant of domain time; `age` is how many of the ascending `ages` a case has reached."""
    rows = await tx.fetch(OPEN, now, list(ages))
    return [
        OpenCount(row["procedure"], row["class"], row["department"], row["age"], row["number"], row["breached"], row["escalated"])
        for row in rows
    ]


def due_query(times: int) -> str:
    """The statement that counts by so many times: its arguments are the instant, the longest time, and each time."""
    counts = (f"count(*) FILTER (WHERE due_at > $1 AND due_at <= $1 + ${n + 3}::interval) AS within_{n}" for n in range(times))
    return _DUE.format(counts=", ".join(counts))


async def count_due_cases(tx: Transaction, now: datetime, within: Sequence[timedelta]) -> list[DueCount]:
    """The cases with a deadline up to the longest of the times `within`; those of a shorter time are in the longer ones too."""
    rows = await tx.fetch(due_query(len(within)), now, max(within), *within)
    numbers = range(len(within))
    return [DueCount(row["procedure"], row["department"], row["overdue"], tuple(row[f"within_{n}"] for n in numbers)) for row in rows]
