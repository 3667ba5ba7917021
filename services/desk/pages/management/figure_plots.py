"""The plots of the page of figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.desk.application.management import FigureOverview
from services.desk.domain.figures.figure_days import TIME_LIMITS, CaseFigure
from services.desk.domain.figures.management_view import ManagementView
from services.desk.domain.figures.periods import period_label
from services.desk.drawings.picture import Drawing
from services.desk.drawings.plots.distribution import Share, draw_distribution
from services.desk.drawings.plots.period_bars import PeriodFigures, PeriodRatio, PeriodSeries, draw_period_figures
from services.desk.pages.management.figure_tables import limit_text
from shared.procedures.model.procedure import LanguageCode

_STACKS: dict[str, tuple[tuple[CaseFigure, ...], str]] = {
    "registered": ((CaseFigure.REGISTERED,), ""),
    "ended": ((CaseFigure.ON_TIME, CaseFigure.LATE), "on_time_share"),
    "open": ((CaseFigure.OPEN,), ""),
    "signals": ((CaseFigure.ESCALATED, CaseFigure.URGED, CaseFigure.REOPENED, CaseFigure.DEEMED), ""),
    "satisfaction": ((CaseFigure.SATISFIED, CaseFigure.UNDERSTOOD, CaseFigure.DISSATISFIED), "satisfaction"),
}
"""Plot → figures of its bars, and the share that is drawn over them."""


def draw_plots(overview: FigureOverview, view: ManagementView, language: LanguageCode, t: Callable[..., str]) -> list[Drawing]:
    """Figures by period, and how long the cases of the chosen period took."""
    labels = tuple(period_label(sums.period, view.unit) for sums in overview.periods)
    plots = []
    for name, (figures, share) in _STACKS.items():
        series = tuple(
            PeriodSeries(t(f"figure.{figure.name.lower()}"), tuple(float(sums.count(figure)) for sums in overview.periods))
            for figure in figures
        )
        ratio = PeriodRatio(t(f"figure.{share}"), tuple(getattr(sums, share) for sums in overview.periods)) if share else None
        shown = PeriodFigures(t(f"management.plot.{name}"), labels, series, ratio)
        plots.append(draw_period_figures(shown, language, f"plot-{name}"))
    title = t("management.plot.times", period=labels[-1])
    return [*plots, draw_distribution(title, _time_shares(overview.chosen.times, t), language, "plot-times")]


def _time_shares(times: Sequence[int], t: Callable[..., str]) -> list[Share]:
    """From the first limit with a closing to the last one: the many limits beside them would hide the shape."""
    places = [place for place, count in enumerate(times) if count]
    if not places:
        return []
    names = [t("management.within", limit=limit_text(limit, t)) for limit in TIME_LIMITS] + [t("management.longer")]
    return [Share(names[place], float(times[place])) for place in range(places[0], places[-1] + 1)]
