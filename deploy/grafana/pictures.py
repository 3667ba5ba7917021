"""`python -m deploy.grafana.pictures URL`: draws panels from the answers of the Prometheus at that address, for documentation."""

from __future__ import annotations

import argparse
import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deploy.grafana.boards.registry import BOARDS
from deploy.grafana.panels import Kind, Panel, Query

FOLDER = Path(__file__).parents[2] / "docs" / "images"
PICTURES: dict[str, tuple[str, ...]] = {
    "management": ("Open by department", "Open by age", "Due soon", "On time by department"),
    "operations": ("HTTP requests", "Records and messages a second", "Event loop", "Database connections"),
    "deadlines": ("Overdue by department", "Outcome of deadlines", "Lateness", "Behind"),
}
"""The panels of each picture, by the first part of their titles."""
_VARIABLE = re.compile(r"\$(procedure|department|service|instance|channel)\b")
_STEP, _SERIES = 1.0, 8
_COLUMNS = 2
Series = Mapping[str, Any]


def main() -> None:
    """Draw every picture."""
    parser = argparse.ArgumentParser(prog="python -m deploy.grafana.pictures", description="Draw panels from Prometheus' answers.")
    parser.add_argument("address", help="address of Prometheus, for instance http://127.0.0.1:9090")
    parser.add_argument("--minutes", type=float, default=2.0, help="how far back the lines go")
    parser.add_argument("--at", type=float, help="instant of the picture in seconds since the epoch (default: now)")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    source = _Source(arguments.address, arguments.at, arguments.minutes)
    draw_pictures(source, arguments.folder)


class _Source:
    """Prometheus' answers for one instant, and for the minutes before it. Raises OSError where it does not answer."""

    def __init__(self, address: str, at: float | None, minutes: float) -> None:
        self._address = address
        self.end = float(self._ask("query", {"query": "time()"})[1]) if at is None else at
        self._start = self.end - 60 * minutes

    def now(self, query: Query) -> Sequence[Any]:
        """The series at the instant."""
        return self._ask("query", {"query": _all_values(query), "time": self.end})

    def before(self, query: Query) -> Sequence[Any]:
        """The series of the minutes before it."""
        return self._ask("query_range", {"query": _all_values(query), "start": self._start, "end": self.end, "step": _STEP})

    def _ask(self, path: str, parameters: Mapping[str, object]) -> Sequence[Any]:
        # Prometheus' address is the caller's, never a complaint's.
        with urlopen(f"{self._address}/api/v1/{path}?{urlencode(parameters)}", timeout=30) as answer:  # noqa: S310
            result: Sequence[Any] = json.load(answer)["data"]["result"]
        return result


def draw_pictures(source: _Source, folder: Path) -> None:
    """Write one PNG a picture into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, titles in PICTURES.items():
        board = next(board for board in BOARDS if board.uid == f"jiesu-{name}")
        figure = Figure(figsize=(11, 6), dpi=80, layout="constrained")
        axes = figure.subplots(math.ceil(len(titles) / _COLUMNS), _COLUMNS).flat
        for place, title in zip(axes, titles, strict=True):
            panel = next(panel for panel in board.panels if _english(panel.title) == title)
            _draw(place, panel, source)
        figure.savefig(folder / f"{name}.png")


def _draw(axes: Axes, panel: Panel, source: _Source) -> None:
    axes.set_title(_english(panel.title), loc="left", fontsize=10)
    if panel.kind is Kind.TIMESERIES:
        _draw_lines(axes, panel, source)
    else:
        _draw_bars(axes, panel, source)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=7)


def _draw_lines(axes: Axes, panel: Panel, source: _Source) -> None:
    lines: list[tuple[str, list[float], list[float]]] = []
    for query in panel.queries:
        for series in source.before(query):
            points = [(at - source.end, float(value)) for at, value in series["values"] if value != "NaN"]
            if points:
                lines.append((_legend(query, series), [at for at, _ in points], [value for _, value in points]))
    # Those with the largest values: more would hide each other.
    for label, at, values in sorted(lines, key=lambda line: -max(line[2]))[:_SERIES]:
        axes.plot(at, values, label=label, linewidth=1.2)
    for limit, colour in zip(panel.limits or (), ("goldenrod", "firebrick"), strict=False):
        if lines and limit <= axes.get_ylim()[1]:
            axes.axhline(limit, color=colour, linewidth=0.8, linestyle="--")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("seconds", fontsize=7)
    axes.set_ylabel(_unit(panel), fontsize=7)
    axes.legend(fontsize=6, loc="upper left", bbox_to_anchor=(1, 1), frameon=False)


def _draw_bars(axes: Axes, panel: Panel, source: _Source) -> None:
    bars = [(_legend(query, series), float(series["value"][1])) for query in panel.queries for series in source.now(query)]
    bars.sort(key=lambda bar: bar[1])
    drawn = axes.barh([label for label, _ in bars], [value for _, value in bars], color="tab:green")
    axes.bar_label(drawn, fontsize=7, padding=2)


def _all_values(query: Query) -> str:
    return _VARIABLE.sub(".*", query.expr).replace("$__rate_interval", "30s")


def _legend(query: Query, series: Series) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: str(series["metric"].get(found[1], "")), query.legend)


def _unit(panel: Panel) -> str:
    return {"s": "seconds", "percentunit": "share", "cps": "a second", "reqps": "a second"}.get(panel.unit, "")


def _english(title: str) -> str:
    return title.partition(" · ")[0]


if __name__ == "__main__":
    main()
