"""The figures as tables of a page and of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from services.desk.application.management import FigureOverview
from services.desk.domain.figures.figure_days import CaseFigure
from services.desk.domain.figures.management_view import ManagementView
from services.desk.domain.figures.periods import period_label
from services.desk.domain.figures.summary import PeriodSums
from shared.runtime.spreadsheets.table_files import TableCell

Translate = Callable[..., str]
Named = Callable[[str, str], str]
"""The name to show of a grouping's value."""
SHARES: Final = ("on_time_share", "satisfaction")
TIMES: Final[dict[str, float]] = {"median_time": 0.5, "p90_time": 0.9}
GROUP_FIGURES: Final = (
    *(CaseFigure.REGISTERED, CaseFigure.CLOSED, CaseFigure.OPEN, CaseFigure.ON_TIME, CaseFigure.LATE),
    *(CaseFigure.ESCALATED, CaseFigure.URGED, CaseFigure.REOPENED, CaseFigure.SATISFIED),
)
"""The figures of the tables by procedure, department, class and channel; the file has all."""


def comparison(overview: FigureOverview, view: ManagementView, t: Translate) -> list[dict[str, Any]]:
    """A row for each figure: its value, that of the period before, the difference, and the addresses of both lists."""
    before_view = replace(view, period=overview.before.period)
    rows: list[dict[str, Any]] = []
    for figure in CaseFigure:
        now, before = overview.chosen.count(figure), overview.before.count(figure)
        lists = {"now": figure_query(view, figure), "before": figure_query(before_view, figure)}
        rows.append({"name": figure.name.lower(), "now": now, "before": before, "change": f"{now - before:+d}", "queries": lists})
    for name in SHARES:
        now_share, before_share = getattr(overview.chosen, name), getattr(overview.before, name)
        change = "" if now_share is None or before_share is None else f"{(now_share - before_share) * 100:+.1f}"
        rows.append({"name": name, "now": share_text(now_share), "before": share_text(before_share), "change": change, "queries": {}})
    for name, share in TIMES.items():
        now_time, before_time = (limit_text(each.closed_within(share), t) for each in (overview.chosen, overview.before))
        rows.append({"name": name, "now": now_time, "before": before_time, "change": "", "queries": {}})
    return rows


def group_rows(overview: FigureOverview, view: ManagementView, grouping: str, t: Translate, named: Named) -> list[dict[str, Any]]:
    """A row for each group of the chosen period, with the address of the list of each figure."""
    rows = []
    for name, sums in overview.groups[grouping].items():
        scoped = scoped_view(view, grouping, name)
        cells = [(sums.count(figure), figure_query(scoped, figure)) for figure in GROUP_FIGURES]
        more = [share_text(getattr(sums, share)) for share in SHARES] + [limit_text(sums.closed_within(at), t) for at in TIMES.values()]
        rows.append({"name": named(grouping, name), "query": urlencode(scoped.as_parameters()), "cells": cells, "more": more})
    return rows


def scoped_view(view: ManagementView, grouping: str, name: str) -> ManagementView:
    """The view of one group."""
    if grouping == "procedure":
        return replace(view, procedure=name)
    return replace(view, dimension=grouping, value=name)


def figure_query(view: ManagementView, figure: CaseFigure) -> str:
    """The query of the list of a figure's cases."""
    return urlencode({**view.as_parameters(), "figure": figure.name.lower()})


def share_text(share: float | None) -> str:
    """A share as per cent; a dash where there was nothing to divide by."""
    return "–" if share is None else f"{share:.1%}"


def limit_text(limit: timedelta | None, t: Translate) -> str:
    """A limit of the time to close in hours or days."""
    if limit is None:
        return "–"
    if limit == timedelta.max:
        return t("management.longer")
    if limit < timedelta(days=1):
        return t("management.hours", n=int(limit.total_seconds() // 3600))
    return t("management.days", n=limit.days)


def file_columns(t: Translate) -> list[str]:
    """The heads of the file's columns."""
    names = [*(figure.name.lower() for figure in CaseFigure), *SHARES, *TIMES]
    return [t("management.period"), t("management.grouping"), t("management.name"), *(t(f"figure.{name}") for name in names)]


def file_rows(overview: FigureOverview, view: ManagementView, t: Translate, named: Named) -> Iterator[list[TableCell]]:
    """All cases of each period, then the groups of the chosen one; shares from 0 to 1, times in hours."""
    for sums in overview.periods:
        yield [period_label(sums.period, view.unit), t("management.all"), "", *_cells(sums)]
    for grouping, groups in overview.groups.items():
        for name, sums in groups.items():
            yield [period_label(sums.period, view.unit), t(f"management.by.{grouping}"), named(grouping, name), *_cells(sums)]


def _cells(sums: PeriodSums) -> list[TableCell]:
    counts: list[TableCell] = [sums.count(figure) for figure in CaseFigure]
    shares: list[TableCell] = [None if (share := getattr(sums, name)) is None else round(share, 4) for name in SHARES]
    times = [sums.closed_within(share) for share in TIMES.values()]
    # Longer than the last limit: no number, since none is known.
    return counts + shares + [None if time is None or time == timedelta.max else int(time.total_seconds() // 3600) for time in times]
