"""A gauge that exports nothing rather than an old value, and label values that are bounded."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from prometheus_client import Gauge
from prometheus_client.metrics_core import Metric

from shared.runtime.clock import monotonic

VALID_SECONDS: Final = 30.0
"""Six measurements; a scrape interval is half of it."""
OTHER: Final = "other"
"""The label value for everything outside a list."""


class MeasuredGauge(Gauge):
    """A gauge set by a loop. Its samples end when the loop fails, or has not measured for VALID_SECONDS.

    A value that stands still looks well: with the database down, the last counts would be shown for ever.
    """

    _valid_until = 0.0

    def set(self, value: float) -> None:
        """Set the value, as measured now."""
        super().set(value)
        self._valid_until = monotonic() + VALID_SECONDS

    def replace(self, values: Mapping[tuple[str, ...], float]) -> None:
        """Set the values by labels, as measured now; labels that are not given have no value any more."""
        # A class without an open case has no row: its value would stay.
        self.clear()
        for labels, value in values.items():
            self.labels(*labels).set(value)
        self._valid_until = monotonic() + VALID_SECONDS

    def expire(self) -> None:
        """Export nothing until the next measurement."""
        self._valid_until = 0.0

    def collect(self) -> Iterable[Metric]:
        """The samples, none when they are too old."""
        families = list(super().collect())
        if monotonic() > self._valid_until:
            for family in families:
                family.samples = []
        return families


def bounded(value: str, known: Collection[str]) -> str:
    """A label value: the value if it is known, else `other`; names from messages would make time series without bound."""
    return value if value in known else OTHER
