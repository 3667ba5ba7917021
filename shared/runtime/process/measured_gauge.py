"""A gauge that exports nothing rather than an old value, and label values that are bounded."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
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

    A value that does not change looks well: with the database down, the last counts would be shown for ever.
    """

    _valid_until = 0.0
    _has_no_value = False

    def set(self, value: float) -> None:
        """Set the value, as measured now."""
        super().set(value)
        self._has_no_value = False
        self._valid_until = monotonic() + VALID_SECONDS

    def replace(self, values: Mapping[tuple[str, ...], float]) -> None:
        """Set the values by labels, as measured now; labels that are not given have no value any more."""
        # A class without an open case has no row: its value would stay.
        self.clear()
        for labels, value in values.items():
            self.labels(*labels).set(value)
        self._has_no_value = False
        self._valid_until = monotonic() + VALID_SECONDS

    def expire(self) -> None:
        """Export nothing until the next measurement."""
        self._valid_until = 0.0

    def set_no_value(self) -> None:
        """Export nothing, as measured now: there is no value, such as a share of nothing."""
        # Not expire(): a measurement that succeeds holds its gauges afterwards, and the last value, or 0, would be exported.
        self._has_no_value = True

    def collect(self) -> Iterable[Metric]:
        """The samples, none when they are too old."""
        families = list(super().collect())
        if self._has_no_value or monotonic() > self._valid_until:
            for family in families:
                family.samples = []
        return families


@dataclass(slots=True)
class Tenure:
    """The term for which this process measures for its service: until `until` of the monotonic clock."""

    until: float = 0.0

    @property
    def is_held(self) -> bool:
        """Whether no other process can have been elected."""
        return monotonic() < self.until


class SharedGauge(MeasuredGauge):
    """A gauge of what the database counts for all processes of a service: exported by the elected one only, so that sums are right.

    Its samples end with the tenure, before another process can be elected: a process that hangs in a query does not double them.
    """

    _tenure = Tenure()

    def hold(self, tenure: Tenure, valid_seconds: float) -> None:
        """Export what has just been set while the tenure lasts, for at most so many seconds."""
        self._tenure = tenure
        self._valid_until = monotonic() + valid_seconds

    def collect(self) -> Iterable[Metric]:
        """The samples, none without the tenure."""
        families = list(super().collect())
        if not self._tenure.is_held:
            for family in families:
                family.samples = []
        return families


def bounded(value: str, known: Collection[str]) -> str:
    """A label value: the value if it is known, else `other`; names from messages would make time series without bound."""
    return value if value in known else OTHER
