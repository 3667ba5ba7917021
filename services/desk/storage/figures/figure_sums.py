"""Reads the sums of figures that a person may see: of the same cases as the lists behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from services.desk.domain.figures.case_sums import ALL, CHANNEL, CLASS, DEPARTMENT, NO_PERIOD, NOW
from services.desk.domain.figures.figure_days import PLACES, CaseFigure
from services.desk.domain.figures.periods import PeriodUnit
from services.desk.domain.viewer import Viewer
from services.desk.storage.visibility import VisibilityConditions, visible_to
from shared.runtime.database.database import Transaction

PROCEDURE = "procedure"
GROUPINGS = (PROCEDURE, DEPARTMENT, CLASS, CHANNEL)
MAX_GROUPS = 200
_SUMS = ", ".join(f"coalesce(sum(counts[{place + 1}]), 0)::bigint" for place in range(1, PLACES))
_OPEN = f"counts[{CaseFigure.OPEN + 1}]"


@dataclass(frozen=True, slots=True)
class FigureScope:
    """The cases of a procedure, and of a value of one dimension; empty: all."""

    procedure: str = ""
    dimension: str = ALL
    value: str = ""


Sums = dict[date, list[int]]


async def load_periods(tx: Transaction, unit: PeriodUnit, first: date, scope: FigureScope, viewer: Viewer) -> tuple[Sums, int]:
    """The sums of each period from `first` on, the change of the stock among them, and the open cases of now."""
    conditions = _visible_sums(viewer, scope)
    if scope.dimension:
        conditions.add("value = {0}", scope.value)
    conditions.add("((unit = {0} AND period >= {1}) OR unit = {2})", unit, first, NOW)
    statement = f"SELECT period, sum({_OPEN}), {_SUMS} FROM figure_sum WHERE {conditions.where} GROUP BY unit, period"  # noqa: S608 - ours
    sums = {row[0]: [int(value) for value in tuple(row)[1:]] for row in await tx.fetch(statement, *conditions.parameters)}
    now = sums.pop(NO_PERIOD, [0])[CaseFigure.OPEN]
    return sums, now


async def load_groups(
    tx: Transaction, unit: PeriodUnit, period: date, grouping: str, scope: FigureScope, viewer: Viewer
) -> Mapping[str, list[int]]:
    """The sums of a period by procedure, department, class or channel; the place of `CaseFigure.OPEN` holds the stock at its end.

    By procedure the scope's dimension holds too; of another grouping there are sums for a procedure only.
    """
    by_procedure = grouping == PROCEDURE
    conditions = _visible_sums(viewer, scope if by_procedure else FigureScope(scope.procedure, grouping))
    if by_procedure and scope.dimension:
        conditions.add("value = {0}", scope.value)
    name = "procedure" if by_procedure else "value"
    where, now = conditions.where, conditions.place("unit = {0}", NOW)
    later = conditions.place("(unit = {0} AND period > {1})", unit, period)
    chosen = conditions.place("unit = {0} AND period = {1}", unit, period)
    # What is open now, without what was opened and with what was ended after the period.
    stock = f"SELECT {name}, sum(CASE WHEN {now} THEN {_OPEN} ELSE -{_OPEN} END) FROM figure_sum"  # noqa: S608 - our conditions
    sums = f"SELECT {name}, {_SUMS} FROM figure_sum"  # noqa: S608 - our conditions
    # One statement, and one snapshot: between two of them a case might be closed.
    statement = f"""
WITH stock (name, open) AS ({stock} WHERE {where} AND ({now} OR {later}) GROUP BY 1),
     sums AS ({sums} WHERE {where} AND {chosen} GROUP BY 1)
SELECT coalesce(stock.name, sums.{name}), coalesce(stock.open, 0)::bigint, sums.*
  FROM sums FULL JOIN stock ON stock.name = sums.{name} ORDER BY 4 DESC NULLS LAST, 1 LIMIT {MAX_GROUPS}
"""  # noqa: S608 - our conditions
    groups = {row[0]: [int(value or 0) for value in (row[1], *tuple(row)[3:])] for row in await tx.fetch(statement, *conditions.parameters)}
    return {name: counts for name, counts in groups.items() if any(counts)}


async def has_uncounted_cases(tx: Transaction) -> bool:
    """Whether the read model holds cases of a version that counted nothing, which a rebuild counts."""
    statement = "SELECT EXISTS (SELECT FROM case_row WHERE figures = '{}' AND received_at IS NOT NULL)"
    return bool(await tx.fetchval(statement))


async def load_values(tx: Transaction, viewer: Viewer) -> dict[str, list[str]]:
    """The procedures, departments, classes and channels of the cases that the viewer sees, for the fields of the filter."""
    found: dict[str, list[str]] = {}
    for grouping in GROUPINGS:
        by_procedure = grouping == PROCEDURE
        conditions = _visible_sums(viewer, FigureScope("", ALL if by_procedure else grouping))
        conditions.add("unit = {0}", "year")
        name = "procedure" if by_procedure else "value"
        statement = f"SELECT DISTINCT {name} FROM figure_sum WHERE {conditions.where} AND {name} <> '' ORDER BY 1 LIMIT {MAX_GROUPS}"  # noqa: S608 - ours
        found[grouping] = [row[0] for row in await tx.fetch(statement, *conditions.parameters)]
    return found


def _visible_sums(viewer: Viewer, scope: FigureScope) -> VisibilityConditions:
    conditions = visible_to(viewer, "figure_audience")
    # The sums of a department's cases are few; the arrays are compared once for each audience and not for each sum.
    visible = f"audience IN (SELECT audience FROM figure_audience WHERE {conditions.where})"  # noqa: S608 - our conditions
    conditions.texts = [visible]
    conditions.add("dimension = {0}", scope.dimension)
    if scope.procedure:
        conditions.add("procedure = {0}", scope.procedure)
    return conditions
