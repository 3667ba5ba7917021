"""Counts the improvement measures of a procedure for a report of a period."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from services.sla.storage.reports.improvements import Improvement

MOST_LISTED = 200
"""Measures that a report lists, the oldest due first: it goes out as one message."""


def improvement_figures(measures: Iterable[Improvement], since: datetime, until: datetime) -> dict[str, Any]:
    """Return how many measures were added and done in the period, and open and overdue at its end; and those open or done in it.

    A measure done after the period counts as open: the report shows what was so at the period's end.
    """
    known = [measure for measure in measures if measure.added_at < until]
    done = [measure for measure in known if measure.done_at is not None and since <= measure.done_at < until]
    still_open = [measure for measure in known if measure.done_at is None or measure.done_at >= until]
    return {
        "added": sum(measure.added_at >= since for measure in known),
        "done": len(done),
        "open": len(still_open),
        "overdue": sum(measure.due_at < until for measure in still_open),
        "measures": [_line(measure, until, is_done=measure in done) for measure in [*still_open, *done][:MOST_LISTED]],
    }


def _line(measure: Improvement, until: datetime, *, is_done: bool) -> dict[str, Any]:
    # Without its words: who may read the report need not be one who may read the case that they are about.
    return {
        "id": str(measure.id),
        "owner": measure.owner,
        "due_at": measure.due_at.isoformat(),
        "state": "done" if is_done else "overdue" if measure.due_at < until else "open",
    }
