"""Tables `tally` and `daily_figure`: what happened, counted by day of domain time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from shared.runtime.database.database import Transaction

_COLUMNS = ("day", "figure", "procedure", "department", "detail", "number")
# Rows that are only added, and added up by one process: batches that changed one row of a day would wait for each other.
_FOLD = """
WITH moved AS (DELETE FROM tally RETURNING day, figure, procedure, department, detail, number)
INSERT INTO daily_figure (day, figure, procedure, department, detail, number)
SELECT day, figure, procedure, department, detail, sum(number) FROM moved GROUP BY day, figure, procedure, department, detail
ON CONFLICT (day, figure, procedure, department, detail) DO UPDATE SET number = daily_figure.number + excluded.number
"""
_SUMS = """
SELECT figure, procedure, department, detail, sum(number)::bigint AS number FROM daily_figure
WHERE day > $1 AND day <= $2 GROUP BY figure, procedure, department, detail
"""
_PRUNE = "DELETE FROM daily_figure WHERE day < $1"


class TallyKey(NamedTuple):
    """A counted item: the figure, its procedure and department."""

    day: date
    figure: str
    procedure: str
    department: str
    detail: str


@dataclass(frozen=True, slots=True)
class FigureSum:
    """A figure of some days."""

    figure: str
    procedure: str
    department: str
    detail: str
    number: int


async def add_tallies(tx: Transaction, keys: Iterable[TallyKey]) -> None:
    """Add one to a figure for each key, in the transaction of the events, so that a figure holds each event once."""
    await tx.copy_rows("tally", _COLUMNS, [(*key, number) for key, number in Counter(keys).items()])


async def fold_tallies(tx: Transaction) -> None:
    """Add what was tallied to the figures of the days."""
    await tx.execute(_FOLD)


async def sum_figures(tx: Transaction, after: date, until: date) -> Iterable[FigureSum]:
    """The figures of the days after one and up to another."""
    rows = await tx.fetch(_SUMS, after, until)
    return [FigureSum(row["figure"], row["procedure"], row["department"], row["detail"], row["number"]) for row in rows]


async def prune_figures(tx: Transaction, before: date) -> None:
    """Delete the figures of days before one."""
    await tx.execute(_PRUNE, before)
