"""Timelines of cases for tests of reports, written shortly; times are local in China."""

from __future__ import annotations

from typing import Any

from services.sla.domain.lifecycle.case import Event
from services.sla.domain.reports.case_timeline import CaseTimeline
from tests.support.deadlines.shorthand import at

TimelineEvent = tuple[str, str, dict[str, Any]]
"""Time, event type, data."""
ROUTED: TimelineEvent = ("2026-09-02 10:00", "routed", {"department": "repairs"})


def timeline(
    case: str, received: str, *events: TimelineEvent, complainant_kind: str = "customer", channel: str = "hotline"
) -> CaseTimeline:
    ledger = [Event(event_type, at(time), sequence, data) for sequence, (time, event_type, data) in enumerate(events, 1)]
    return CaseTimeline(case, at(received), channel, complainant_kind, ledger)
