"""Sums and counts of a service's histograms, to measure what happened between two moments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

_SAMPLE = re.compile(r"^(jiesu_\w+?)_(sum|count)(\{[^}]*\})? (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class HistogramTotals:
    """Sum and number of what was observed, by name and labels as `/metrics` writes them."""

    sums: Mapping[str, float]
    counts: Mapping[str, float]

    @classmethod
    async def read(cls, url: str) -> HistogramTotals:
        """The totals of the service at this URL."""
        async with httpx.AsyncClient(timeout=20) as http:
            text = (await http.get(f"{url}/metrics")).text
        totals: dict[str, dict[str, float]] = {"sum": {}, "count": {}}
        for name, kind, labels, value in _SAMPLE.findall(text):
            totals[kind][f"{name}{labels}"] = float(value)
        return cls(totals["sum"], totals["count"])

    def mean_since(self, before: HistogramTotals, series: str) -> float:
        """The mean of what was observed after `before`; 0 if nothing was."""
        number = self.counts.get(series, 0.0) - before.counts.get(series, 0.0)
        return (self.sums.get(series, 0.0) - before.sums.get(series, 0.0)) / number if number else 0.0
