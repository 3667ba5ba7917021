"""The selection of a page of figures: unit, period, procedure, and one value of one dimension, as its address holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from services.desk.domain.figures.case_sums import DIMENSIONS
from services.desk.domain.figures.figure_days import CaseFigure
from services.desk.domain.figures.periods import PERIOD_UNITS, PeriodUnit, next_period, period_start

SHOWN: Final[dict[PeriodUnit, int]] = {"week": 13, "month": 13, "quarter": 9, "year": 5}
"""Periods of a page: the chosen one, those before it, and among them the same one of the year before."""
_EARLIEST: Final = date(2000, 1, 1)
_MAX_VALUE: Final = 200


@dataclass(frozen=True, slots=True)
class ManagementView:
    """The cases of a procedure, and of a value of one dimension (empty: all), in a period that begins on `period`."""

    unit: PeriodUnit
    period: date
    procedure: str = ""
    dimension: str = ""
    value: str = ""

    @property
    def following(self) -> date:
        """The first day after the period."""
        return next_period(self.period, self.unit)

    @property
    def periods(self) -> list[date]:
        """The periods that are shown, the chosen one last."""
        found = [self.period]
        while len(found) < SHOWN[self.unit]:
            found.append(period_start(found[-1] - timedelta(days=1), self.unit))
        return found[::-1]

    def as_parameters(self) -> dict[str, str]:
        """The parameters of an address that opens this view."""
        only = f"{self.dimension}:{self.value}" if self.dimension else ""
        found = {"unit": self.unit, "period": self.period.isoformat(), "procedure": self.procedure, "only": only}
        return {name: value for name, value in found.items() if value}


def parse_view(parameters: Mapping[str, str], today: date) -> ManagementView:
    """The view of an address; what cannot be read counts as not given, so that an old bookmark still opens a page."""
    unit: PeriodUnit = next((each for each in PERIOD_UNITS if each == parameters.get("unit")), "month")
    dimension, _, value = _text(parameters, "only").partition(":")
    if dimension not in DIMENSIONS or not dimension:
        dimension = value = ""
    # Not before the year 2000, nor in the future: a page shows periods that lie before.
    day = min(max(_day(parameters.get("period", ""), today), _EARLIEST), today)
    return ManagementView(unit, period_start(day, unit), _text(parameters, "procedure"), dimension, value)


def parse_figure(name: str) -> CaseFigure | None:
    """The figure of that name in small letters, None for another text."""
    return next((figure for figure in CaseFigure if figure.name.lower() == name), None)


def _text(parameters: Mapping[str, str], name: str) -> str:
    return parameters.get(name, "").replace("\x00", "").strip()[:_MAX_VALUE]


def _day(text: str, default: date) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return default
