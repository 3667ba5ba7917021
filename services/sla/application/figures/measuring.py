"""Sets the gauges of open cases and of the last month from the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from services.sla import metrics
from services.sla.domain.reports import event_figures
from services.sla.storage import deferred_inputs
from services.sla.storage.figures import case_counts, tallies
from services.sla.storage.figures.case_counts import DueCount, OpenCount
from services.sla.storage.figures.tallies import FigureSum
from shared.runtime.database.database import Transaction
from shared.runtime.process.measured_gauge import SharedGauge, bounded

MONTH: Final = timedelta(days=30)
KEPT: Final = timedelta(days=400)
"""A year, so that a month can be compared with the same one of the year before."""
_AGES: Final = {"under_1d": timedelta(0), "1d_3d": timedelta(days=1), "3d_7d": timedelta(days=3)} | {
    "7d_30d": timedelta(days=7),
    "over_30d": timedelta(days=30),
}
_WITHIN: Final = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "3d": timedelta(days=3)}
CASE_GAUGES: Final = (
    *(metrics.CASES_OPEN, metrics.CASES_BREACHED, metrics.CASES_ESCALATED),
    *(metrics.CASES_DUE, metrics.CASES_OVERDUE, metrics.INPUTS_HELD),
)
_DETAILED: Final[dict[str, tuple[SharedGauge, Collection[str]]]] = {
    event_figures.DEADLINES: (metrics.MONTH_DEADLINES, event_figures.DEADLINE_OUTCOMES),
    event_figures.ANSWERS: (metrics.MONTH_ANSWERS, metrics.ANSWER_OUTCOMES),
    event_figures.DEEMED: (metrics.MONTH_DEEMED, metrics.DEEMED_EVENTS),
}
_PLAIN: Final = {
    event_figures.CLOSED: metrics.MONTH_CLOSED,
    event_figures.CALLED_BACK: metrics.MONTH_CALLED_BACK,
    event_figures.URGINGS: metrics.MONTH_URGINGS,
    event_figures.ESCALATIONS: metrics.MONTH_ESCALATIONS,
}
MONTH_GAUGES: Final = (*(gauge for gauge, _ in _DETAILED.values()), *_PLAIN.values())


async def set_case_gauges(tx: Transaction, now: datetime, labels: metrics.CaseLabels) -> None:
    """Set the gauges of open cases, of deadlines that come, and of deferred inputs; `now` is domain time."""
    _set_open(await case_counts.count_open_cases(tx, now, list(_AGES.values())[1:]), labels)
    _set_due(await case_counts.count_due_cases(tx, now, list(_WITHIN.values())), labels)
    metrics.INPUTS_HELD.set(await deferred_inputs.count_deferred(tx))


async def set_month_gauges(tx: Transaction, now: datetime, labels: metrics.CaseLabels) -> None:
    """Add up what was tallied since the last time, and set the gauges of the last 30 days of domain time."""
    await tallies.fold_tallies(tx)
    await tallies.prune_figures(tx, (now - KEPT).date())
    # A day more: the days of a case are those of its calendar, which may be ahead of UTC.
    until = (now + timedelta(days=1)).date()
    _set_month(await tallies.sum_figures(tx, (now - MONTH).date(), until), labels)


def _set_open(counts: Sequence[OpenCount], labels: metrics.CaseLabels) -> None:
    ages = list(_AGES)
    open_cases: Counter[tuple[str, ...]] = Counter()
    breached: Counter[tuple[str, ...]] = Counter()
    escalated: Counter[tuple[str, ...]] = Counter()
    for count in counts:
        unit = labels.unit(count.procedure, count.department)
        open_cases[unit[0], labels.class_label(count.class_), unit[1], ages[count.age]] += count.number
        breached[unit] += count.breached
        escalated[unit] += count.escalated
    metrics.CASES_OPEN.replace(open_cases)
    metrics.CASES_BREACHED.replace(breached)
    metrics.CASES_ESCALATED.replace(escalated)


def _set_due(counts: Sequence[DueCount], labels: metrics.CaseLabels) -> None:
    overdue: Counter[tuple[str, ...]] = Counter()
    due: Counter[tuple[str, ...]] = Counter()
    for count in counts:
        unit = labels.unit(count.procedure, count.department)
        overdue[unit] += count.overdue
        for name, number in zip(_WITHIN, count.within, strict=True):
            due[(*unit, name)] += number
    metrics.CASES_OVERDUE.replace(overdue)
    metrics.CASES_DUE.replace(due)


def _set_month(sums: Iterable[FigureSum], labels: metrics.CaseLabels) -> None:
    totals: dict[str, Counter[tuple[str, ...]]] = {name: Counter() for name in (*_DETAILED, *_PLAIN)}
    for figure in sums:
        if figure.figure in totals:
            unit = labels.unit(figure.procedure, figure.department)
            detail = (bounded(figure.detail, _DETAILED[figure.figure][1]),) if figure.figure in _DETAILED else ()
            totals[figure.figure][(*unit, *detail)] += figure.number
    for name, gauge in {**{name: gauge for name, (gauge, _) in _DETAILED.items()}, **_PLAIN}.items():
        gauge.replace(totals[name])
