"""What a case is at the end of a period, and which rounds of its clocks are finished."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.sla.domain.lifecycle.case import Event
from services.sla.domain.reports.case_timeline import CaseTimeline


@dataclass(slots=True)
class CaseAtPeriodEnd:
    """A case at the end of the period."""

    kind: str = "complaint"
    class_: str = ""
    subject: str = ""
    department: str = ""
    status: str = "open"
    links: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


def truncate(history: CaseTimeline, until: int) -> CaseTimeline:
    events = [event for event in history.events if event.at < until]
    return CaseTimeline(history.case, history.received_at, history.channel, history.complainant_kind, events, history.facts)


def case_at_period_end(history: CaseTimeline) -> CaseAtPeriodEnd:
    found = CaseAtPeriodEnd(facts=dict(history.facts))
    for event in history.events:
        data = event.data
        found.facts.update(data.get("facts", {}))
        match event.type:
            case "classified" | "reclassified":
                found.kind = data.get("kind") or found.kind
                found.class_ = data.get("class") or found.class_
                found.subject = data.get("subject") or found.subject
            case "routed" | "reassigned":
                found.department = data.get("department", "")
            case "returned":
                found.department = ""
            case "linked":
                found.links.append(data.get("as", ""))
            case "closed" | "refused" | "withdrawn":
                found.status = event.type
            case "reopened":
                found.status = "open"
    return found


def finished_runs(events: Sequence[Event]) -> Iterator[tuple[Event, bool]]:
    done: set[tuple[str, int]] = set()
    deemed = {_run_key(event) for event in events if event.type == "measures_deemed_approved"}
    for event in events:
        if event.type in ("clock_breached", "clock_stopped") and _run_key(event) not in done:
            done.add(_run_key(event))
            met = event.type == "clock_stopped" and event.data.get("in_time", True) and _run_key(event) not in deemed
            yield event, met


def _run_key(event: Event) -> tuple[str, int]:
    return event.data.get("clock", ""), event.data.get("round", 0)
