"""The figures of management for one viewer, and the cases behind each of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from services.desk import metrics
from services.desk.domain.figures.figure_days import PLACES, CaseFigure
from services.desk.domain.figures.management_view import ManagementView
from services.desk.domain.figures.summary import PeriodSums, with_stock
from services.desk.domain.viewer import Viewer
from services.desk.storage.figures import figure_sums
from services.desk.storage.figures.figure_cases import FigureQuery, load_figure_cases
from services.desk.storage.figures.figure_sums import FigureScope
from shared.runtime.clock import Clock, monotonic
from shared.runtime.database.database import Database

PAGE_SIZE = 50
_VALUES_SECONDS = 30.0
_MAX_REMEMBERED = 200
_EMPTY = (0,) * PLACES


@dataclass(frozen=True, slots=True)
class FigureOverview:
    """The periods of a view, the chosen one last, and its groups: grouping → name → sums.

    `is_incomplete`: the read model holds cases that an older version wrote and did not count.
    """

    periods: Sequence[PeriodSums]
    groups: Mapping[str, Mapping[str, PeriodSums]]
    is_incomplete: bool

    @property
    def chosen(self) -> PeriodSums:
        """The chosen period."""
        return self.periods[-1]

    @property
    def before(self) -> PeriodSums:
        """The period before the chosen one."""
        return self.periods[-2]


@dataclass(frozen=True, slots=True)
class FigurePage:
    """Cases of a figure, and the cursor of the next page."""

    rows: Sequence[Mapping[str, Any]]
    next_cursor: str = ""


class ManagementFigures:
    """Reads figures and their cases, both under the viewer's condition."""

    def __init__(self, database: Database, clock: Clock, zone: tzinfo) -> None:
        self._database = database
        self._clock = clock
        self._zone = zone
        self._values: OrderedDict[Viewer, tuple[float, dict[str, list[str]]]] = OrderedDict()

    def today(self) -> date:
        """The day in the organisation's zone."""
        return self._clock.now().astimezone(self._zone).date()

    async def overview(self, view: ManagementView, viewer: Viewer) -> FigureOverview:
        """The figures of a view."""
        scope, periods = _scope(view), view.periods
        async with self._database.transaction() as tx:
            with metrics.QUERY_SECONDS.labels("figures").time():
                sums, now_open = await figure_sums.load_periods(tx, view.unit, periods[0], scope, viewer)
                groups = {
                    grouping: await figure_sums.load_groups(tx, view.unit, view.period, grouping, scope, viewer)
                    for grouping in figure_sums.GROUPINGS
                }
                is_incomplete = await figure_sums.has_uncounted_cases(tx)
        shown = with_stock(periods, sums, now_open, _EMPTY)
        grouped = {
            grouping: {name: PeriodSums(view.period, tuple(counts)) for name, counts in found.items()} for grouping, found in groups.items()
        }
        return FigureOverview(shown, grouped, is_incomplete)

    async def values(self, viewer: Viewer) -> dict[str, list[str]]:
        """The choices of the filter's fields, at most half a minute old: reading it takes as long as the figures."""
        known = self._values.get(viewer)
        if known is not None and known[0] > monotonic():
            return known[1]
        async with self._database.transaction() as tx:
            values = await figure_sums.load_values(tx, viewer)
        self._values[viewer] = (monotonic() + _VALUES_SECONDS, values)
        self._values.move_to_end(viewer)
        if len(self._values) > _MAX_REMEMBERED:
            self._values.popitem(last=False)
        return values

    async def cases(self, view: ManagementView, figure: CaseFigure, cursor: str, viewer: Viewer, limit: int = PAGE_SIZE) -> FigurePage:
        """A page of exactly the cases that a figure of the view counts; a cursor that cannot be read begins at the first."""
        query = FigureQuery(figure, view.period, view.following, _scope(view), self._zone, view.following > self.today())
        async with self._database.transaction() as tx:
            with metrics.QUERY_SECONDS.labels("figure_cases").time():
                rows = await load_figure_cases(tx, query, viewer, _position(cursor), limit + 1)
        shown = rows[:limit]
        return FigurePage(shown, f"{shown[-1]['received_at'].isoformat()}~{shown[-1]['case_id']}" if len(rows) > limit else "")


def _scope(view: ManagementView) -> FigureScope:
    return FigureScope(view.procedure, view.dimension, view.value)


def _position(cursor: str) -> tuple[datetime, str] | None:
    """A forged position shows nothing more: every row passes the same conditions."""
    at, _, case_id = cursor.partition("~")
    try:
        received = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (received, case_id) if received.tzinfo is not None and "\0" not in case_id else None
