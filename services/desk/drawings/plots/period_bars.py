"""Draws figures by period: stacked bars, and a ratio as a line over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from services.desk.drawings.picture import NORMAL, PATTERNS, SMALL, DataTable, Drawing, Picture, TextAnchor
from services.desk.drawings.plots.scale import Scale, number_text, scale_for
from services.desk.drawings.text_fit import text_width
from services.desk.drawings.words import WORDS
from shared.procedures.model.procedure import LanguageCode

_WIDTH: Final = 720.0
_MARGIN: Final = 10.0
_LEFT: Final = 64.0
_RIGHT: Final = 56.0
_TOP: Final = 48.0
_HEIGHT: Final = 200.0
_FOOT: Final = 26.0
_KEY_LINE: Final = 20.0
_PLOT_WIDTH: Final = _WIDTH - _LEFT - _RIGHT
_BAR_SHARE: Final = 0.7
_RATIO_TICKS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
_DOT: Final = 3.0


@dataclass(frozen=True, slots=True)
class PeriodSeries:
    """Values by period, none below 0."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PeriodRatio:
    """Shares from 0 to 1 by period; None where there was nothing to divide by."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class PeriodFigures:
    """Figures of one plot; every series has a value for each period. Without a ratio the right axis is left out."""

    title: str
    periods: tuple[str, ...]
    series: tuple[PeriodSeries, ...]
    ratio: PeriodRatio | None = None

    @property
    def totals(self) -> tuple[float, ...]:
        """The sum of the series by period."""
        return tuple(sum(series.values[index] for series in self.series) for index in range(len(self.periods)))


def draw_period_figures(figures: PeriodFigures, language: LanguageCode, key: str) -> Drawing:
    """The picture and the table; in the picture, series after the fourth are one, because five patterns can be distinguished."""
    shown = _drawn_series(figures, language)
    scale = scale_for(max(figures.totals, default=0))
    names = [series.name for series in shown] + ([figures.ratio.name] if figures.ratio else [])
    picture = Picture(key, _WIDTH, _TOP + _HEIGHT + _FOOT + len(names) * _KEY_LINE + 6, figures.title, _description(figures, language))
    picture.text((_MARGIN, 20), figures.title, _WIDTH - 2 * _MARGIN, size=NORMAL, css_class="heading")
    _draw_axes(picture, figures, scale)
    _draw_bars(picture, figures, shown, scale)
    if figures.ratio is not None:
        _draw_ratio(picture, figures, figures.ratio)
    _draw_key(picture, shown, figures.ratio)
    return Drawing(picture.markup(), _table(figures, language))


def _drawn_series(figures: PeriodFigures, language: LanguageCode) -> list[PeriodSeries]:
    if len(figures.series) <= len(PATTERNS):
        return list(figures.series)
    kept, rest = figures.series[: len(PATTERNS) - 1], figures.series[len(PATTERNS) - 1 :]
    sums = tuple(sum(series.values[index] for series in rest) for index in range(len(figures.periods)))
    return [*kept, PeriodSeries(WORDS[language]["other"].format(count=len(rest)), sums)]


def _description(figures: PeriodFigures, language: LanguageCode) -> str:
    words = WORDS[language]
    if not figures.periods:
        return words["no_data"]
    return f"{figures.periods[0]}–{figures.periods[-1]}, {words['total']} {number_text(sum(figures.totals))}"


def _slot(figures: PeriodFigures) -> float:
    return _PLOT_WIDTH / max(len(figures.periods), 1)


def _y(share: float) -> float:
    return _TOP + _HEIGHT * (1 - share)


def _draw_axes(picture: Picture, figures: PeriodFigures, scale: Scale) -> None:
    for tick in scale.ticks:
        y = _y(tick / scale.top)
        picture.line((_LEFT, y), (_LEFT + _PLOT_WIDTH, y), "grid")
        picture.text((_LEFT - 6, y + 4), number_text(tick), _LEFT - 8, anchor="end", css_class="tick")
    if figures.ratio is not None:
        for share in _RATIO_TICKS:
            picture.text((_LEFT + _PLOT_WIDTH + 6, _y(share) + 4), f"{share:.0%}", _RIGHT - 8, css_class="tick")
    slot = _slot(figures)
    widest = max((text_width(period, SMALL) for period in figures.periods), default=0) + 8
    # Each label takes as many slots as it needs; those between have none.
    every = max(ceil(widest / slot), 1)
    for index, period in enumerate(figures.periods):
        if index % every == 0:
            left = min(_LEFT + index * slot, _WIDTH - widest) if every > 1 else _LEFT + (index + 0.5) * slot
            anchor: TextAnchor = "start" if every > 1 else "middle"
            picture.text((left, _TOP + _HEIGHT + 18), period, max(every * slot, 40), anchor=anchor, css_class="tick")


def _draw_bars(picture: Picture, figures: PeriodFigures, shown: Sequence[PeriodSeries], scale: Scale) -> None:
    slot = _slot(figures)
    for index, period in enumerate(figures.periods):
        base = 0.0
        for number, series in enumerate(shown):
            value = series.values[index]
            if value <= 0:
                continue
            height = _HEIGHT * value / scale.top
            top = _y(base / scale.top) - height
            left = _LEFT + (index + (1 - _BAR_SHARE) / 2) * slot
            hint = f"{period} · {series.name}: {number_text(value)}"
            picture.rectangle((left, top, slot * _BAR_SHARE, height), f"series series-{number + 1}", PATTERNS[number], hint)
            base += value


def _draw_ratio(picture: Picture, figures: PeriodFigures, ratio: PeriodRatio) -> None:
    slot = _slot(figures)
    line: list[tuple[float, float]] = []
    for index, share in enumerate([*ratio.values, None]):
        if share is None:
            # A period without cases breaks the line: zero of zero is not zero per cent.
            if len(line) > 1:
                picture.polyline(line, "ratio")
            line = []
            continue
        x, y = _LEFT + (index + 0.5) * slot, _y(min(max(share, 0), 1))
        line.append((x, y))
        diamond = [(x, y - _DOT), (x + _DOT, y), (x, y + _DOT), (x - _DOT, y)]
        picture.polygon(diamond, "ratio-dot", f"{figures.periods[index]} · {ratio.name}: {share:.1%}")


def _draw_key(picture: Picture, shown: Sequence[PeriodSeries], ratio: PeriodRatio | None) -> None:
    top = _TOP + _HEIGHT + _FOOT
    for number, series in enumerate(shown):
        picture.rectangle((_LEFT, top + 4, 16, 10), f"series series-{number + 1}", PATTERNS[number])
        picture.text((_LEFT + 22, top + 13), series.name, _PLOT_WIDTH - 22, css_class="key")
        top += _KEY_LINE
    if ratio is not None:
        picture.line((_LEFT, top + 9), (_LEFT + 16, top + 9), "ratio")
        picture.text((_LEFT + 22, top + 13), ratio.name, _PLOT_WIDTH - 22, css_class="key")


def _table(figures: PeriodFigures, language: LanguageCode) -> DataTable:
    words = WORDS[language]
    several = len(figures.series) > 1
    heads = (
        words["period"],
        *(series.name for series in figures.series),
        *((words["total"],) if several else ()),
        *((figures.ratio.name,) if figures.ratio else ()),
    )
    rows = []
    for index, period in enumerate(figures.periods):
        row = [period, *(number_text(series.values[index]) for series in figures.series)]
        row += [number_text(figures.totals[index])] if several else []
        if figures.ratio is not None:
            share = figures.ratio.values[index]
            row.append(words["none"] if share is None else f"{share:.1%}")
        rows.append(tuple(row))
    return DataTable(figures.title, heads, tuple(rows))
