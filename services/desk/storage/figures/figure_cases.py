"""Lists the cases that a figure counts, newest receipt first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from services.desk.domain.figures.case_sums import CHANNEL, CLASS, DEPARTMENT
from services.desk.domain.figures.figure_days import OPENED, OUTCOMES, SHUT, CaseFigure, pack, packed_days
from services.desk.domain.viewer import Viewer
from services.desk.storage.figures.figure_sums import FigureScope
from services.desk.storage.inbox_queries import load_cases
from services.desk.storage.visibility import VisibilityConditions, visible_to
from shared.runtime.database.database import Transaction

_DIMENSIONS = {DEPARTMENT: "coalesce(nullif(department, ''), proposed)", CLASS: "class", CHANNEL: "channel"}
_EARLIEST = date(1970, 1, 1)
_FREQUENT = frozenset({CaseFigure.ENDED, CaseFigure.CLOSED, CaseFigure.ON_TIME, CaseFigure.CALLED_BACK, CaseFigure.SATISFIED})
_MOST_DAYS = 31
"""A frequent figure of a longer period is looked for from the newest receipt on: by its index a third of all would be read for a page.
Any other is found by its index: from the newest receipt on, its few cases would be looked for among all."""
_BETWEEN = "EXISTS (SELECT FROM unnest(figures) AS number WHERE number BETWEEN {0} AND {1})"
_OUTCOME = "(SELECT number FROM unnest(figures) AS number WHERE number = ANY({0}::integer[]) ORDER BY number & 131071 DESC LIMIT 1)"
_IS_OPEN = """(SELECT count(*) FILTER (WHERE number BETWEEN {0} AND {1}) - count(*) FILTER (WHERE number BETWEEN {2} AND {3})
  FROM unnest(figures) AS number) > 0"""


@dataclass(frozen=True, slots=True)
class FigureQuery:
    """The cases of a figure in the days from `first` until before `following`, counted in a zone; `is_running`: now lies before its end."""

    figure: CaseFigure
    first: date
    following: date
    scope: FigureScope
    zone: tzinfo
    is_running: bool


async def load_figure_cases(
    tx: Transaction, query: FigureQuery, viewer: Viewer, after: tuple[datetime, str] | None, limit: int
) -> list[Mapping[str, Any]]:
    """Up to `limit` cases after the one of that receipt and id."""
    conditions = visible_to(viewer)
    # As counted_case: a duplicate is counted with its lead.
    conditions.texts += ["received_at IS NOT NULL", "lead = ''"]
    if query.scope.procedure:
        conditions.add("procedure = {0}", query.scope.procedure)
    if query.scope.dimension:
        conditions.add(f"{_DIMENSIONS[query.scope.dimension]} = {{0}}", query.scope.value)
    _add_figure(conditions, query)
    if after is not None:
        conditions.add("(received_at, case_id) < ({0}, {1})", *after)
    # Materialised, since the planner hopes to meet rare cases early in the order of receipt.
    materialised = "NOT MATERIALIZED" if _by_receipt(query) else "MATERIALIZED"
    found = f"WITH found AS {materialised} (SELECT case_id, received_at FROM case_row WHERE {conditions.where})"  # noqa: S608 - ours
    statement = f"{found} SELECT case_id FROM found ORDER BY received_at DESC, case_id DESC LIMIT {limit:d}"  # noqa: S608 - ours
    rows = await tx.fetch(statement, *conditions.parameters)
    return await load_cases(tx, [row["case_id"] for row in rows], viewer)


def _by_receipt(query: FigureQuery) -> bool:
    if query.figure in (CaseFigure.OPEN, CaseFigure.REGISTERED):
        return True
    return query.figure in _FREQUENT and (query.following - query.first).days > _MOST_DAYS


def _add_figure(conditions: VisibilityConditions, query: FigureQuery) -> None:
    figure, first, following = query.figure, query.first, query.following
    last = following - timedelta(days=1)
    if figure is CaseFigure.OPEN:
        conditions.add(_IS_OPEN, pack(OPENED, _EARLIEST), pack(OPENED, last), pack(SHUT, _EARLIEST), pack(SHUT, last))
        if query.is_running:
            conditions.texts.append("state = 'open'")
    elif figure in OUTCOMES:
        # The latest outcome of the period counts.
        conditions.add("figures && {0}::integer[]", packed_days(figure, first, following))
        days = [number for outcome in OUTCOMES for number in packed_days(outcome, first, following)]
        latest = conditions.place(_OUTCOME, days)
        conditions.add(f"{latest} = ANY({{0}}::integer[])", packed_days(figure, first, following))
    elif _by_receipt(query):
        conditions.add(_BETWEEN, pack(figure, first), pack(figure, last))
    else:
        conditions.add("figures && {0}::integer[]", packed_days(figure, first, following))
    # Nothing counts before the receipt. Says so in words of an index, by which a page is found without reading the later cases.
    conditions.add("received_at < {0}", datetime.combine(following, time(), query.zone))
    if figure is CaseFigure.REGISTERED:
        conditions.add("received_at >= {0}", datetime.combine(first, time(), query.zone))
