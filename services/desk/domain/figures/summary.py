"""Reads sums: the stock at the end of each period, shares, and the limits within which cases were closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.desk.domain.figures.figure_days import FIRST_TIME, TIME_LIMITS, CaseFigure


@dataclass(frozen=True, slots=True)
class PeriodSums:
    """The sums of a period, by place; the place of `CaseFigure.OPEN` holds the stock at its end."""

    period: date
    counts: tuple[int, ...]

    def count(self, figure: CaseFigure) -> int:
        """Cases of a figure."""
        return self.counts[figure]

    @property
    def on_time_share(self) -> float | None:
        """Ended without a missed limit, of all that ended."""
        return _share(self.counts[CaseFigure.ON_TIME], self.counts[CaseFigure.ON_TIME] + self.counts[CaseFigure.LATE])

    @property
    def satisfaction(self) -> float | None:
        """Satisfied, of all who were reached."""
        reached = (CaseFigure.SATISFIED, CaseFigure.DISSATISFIED, CaseFigure.UNDERSTOOD)
        return _share(self.counts[CaseFigure.SATISFIED], sum(self.counts[figure] for figure in reached))

    def closed_within(self, share: float) -> timedelta | None:
        """The least limit within which this share of the closings came; None without one, `timedelta.max` beyond the last limit."""
        times = self.times
        total, reached = sum(times), 0
        if not total:
            return None
        for place, count in enumerate(times):
            reached += count
            if reached >= share * total:
                return TIME_LIMITS[place] if place < len(TIME_LIMITS) else timedelta.max
        return timedelta.max

    @property
    def times(self) -> tuple[int, ...]:
        """Closings by `TIME_LIMITS`, and last those that took longer."""
        return self.counts[FIRST_TIME:]


def with_stock(periods: Sequence[date], sums: Mapping[date, Sequence[int]], now_open: int, empty: Sequence[int]) -> list[PeriodSums]:
    """The periods in order with the stock at the end of each: the present one without what changed in later periods.

    `sums` also holds every period after the last one that is asked for; `empty` is used for a period without a row.
    """
    later = sum(counts[CaseFigure.OPEN] for period, counts in sums.items() if period > periods[-1])
    found: list[PeriodSums] = []
    for period in reversed(periods):
        counts = list(sums.get(period, empty))
        change, counts[CaseFigure.OPEN] = counts[CaseFigure.OPEN], now_open - later
        later += change
        found.append(PeriodSums(period, tuple(counts)))
    return found[::-1]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
