"""Counts the open cases of departments that have a capacity."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Final

from services.triage.storage import open_cases
from shared.runtime.clock import monotonic
from shared.runtime.database.database import Transaction

_COUNTED_SECONDS: Final = 10.0


class OpenCaseCounts:
    """Open cases by lead department, counted every ten seconds, with those that this process has routed since.

    A capacity is a measure of work and no quota: a count for each batch would cost more than the few cases that it is off by.
    """

    def __init__(self, departments: Collection[str]) -> None:
        self._departments = departments
        self._counted_at: float | None = None
        self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> Mapping[str, int]:
        """The counts as they are known now."""
        return self._counts

    async def refresh(self, tx: Transaction) -> None:
        """Count again if the counts are old; without a department that has a capacity, nothing is read."""
        now = monotonic()
        if not self._departments or (self._counted_at is not None and now - self._counted_at < _COUNTED_SECONDS):
            return
        self._counts = Counter(await open_cases.count_by_department(tx, self._departments))
        self._counted_at = now

    def add(self, department: str) -> None:
        """Count a case that was routed just now."""
        if department in self._departments:
            self._counts[department] += 1
