"""Measures which cases were erased for what reason, and which erasures are not finished."""

from datetime import datetime
from typing import Final

from services.sla import metrics
from services.sla.storage.keeping import erasures
from shared.runtime.database.database import Transaction

ERASURE_GAUGES: Final = (metrics.CASES_ERASED, metrics.ERASURE_OLDEST)


async def set_erasure_gauges(tx: Transaction, now: datetime) -> None:
    """Set the gauges; an erasure that waits for topics is older than their retention only if nobody resumes it."""
    figures = await erasures.load_figures(tx)
    erased: dict[tuple[str, ...], float] = {}
    oldest: dict[tuple[str, ...], float] = {}
    for ground in metrics.ERASURE_GROUNDS:
        cases, unfinished_since = figures.get(ground, (0, None))
        erased[ground,] = cases
        oldest[ground,] = 0.0 if unfinished_since is None else max(0.0, (now - unfinished_since).total_seconds())
    metrics.CASES_ERASED.replace(erased)
    metrics.ERASURE_OLDEST.replace(oldest)
