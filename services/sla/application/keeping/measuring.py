"""Measures which cases were erased for what reason, which erasures are not finished, and whether retention runs."""

from datetime import datetime
from typing import Final

from services.sla import metrics
from services.sla.storage.keeping import erasures, retention_runs
from services.sla.storage.keeping.erasures import ErasureFigures
from shared.runtime.database.database import Transaction

ERASURE_GAUGES: Final = (metrics.CASES_ERASED, metrics.ERASURE_OLDEST)
RETENTION_GAUGES: Final = (metrics.RETENTION_AGE, metrics.RETENTION_FAILED)
_NOTHING = ErasureFigures()


async def set_erasure_gauges(tx: Transaction, now: datetime) -> None:
    """Set the gauges. An erasure that waits for topics is older than their retention only if no one resumes it."""
    figures = await erasures.load_figures(tx)
    erased: dict[tuple[str, ...], float] = {}
    oldest: dict[tuple[str, ...], float] = {}
    for ground in metrics.ERASURE_GROUNDS:
        of_ground = figures.get(ground, _NOTHING)
        erased[ground,] = of_ground.cases
        oldest[ground, "tables"] = _age(of_ground.oldest_interrupted, now)
        oldest[ground, "topics"] = _age(of_ground.oldest_waiting, now)
    metrics.CASES_ERASED.replace(erased)
    metrics.ERASURE_OLDEST.replace(oldest)


async def set_retention_gauges(tx: Transaction, now: datetime, case_retention_days: int) -> None:
    """Set the gauges, without a value where nothing has a limit: neither here nor, for attachments, in the latest run."""
    state = await retention_runs.load_state(tx)
    metrics.RETENTION_FAILED.set(1 if state.outcome == retention_runs.FAILED else 0)
    if case_retention_days or state.limits:
        metrics.RETENTION_AGE.set(_age(state.since, now))
    else:
        metrics.RETENTION_AGE.set_no_value()


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())
