"""Derives from a case's events its attributes at the end of a period and the finished runs of its clocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.sla.domain.lifecycle.case import Event
from services.sla.domain.reports.case_timeline import CaseTimeline


@dataclass(slots=True)
class CaseAtPeriodEnd:
    """The attributes by which a case is counted; `links` are the kinds of its links, such as `repeat`."""

    kind: str = "complaint"
    class_: str = ""
    subject: str = ""
    department: str = ""
    status: str = "open"
    links: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def apply(self, event: Event) -> None:
        """Change the attributes that the event sets."""
        data = event.data
        self.facts.update(data.get("facts", {}))
        match event.type:
            case "classified" | "reclassified":
                self.kind = data.get("kind") or self.kind
                self.class_ = data.get("class") or self.class_
                self.subject = data.get("subject") or self.subject
            case "routed" | "reassigned":
                self.department = data.get("department", "")
            case "returned":
                self.department = ""
            case "linked":
                self.links.append(data.get("as", ""))
            case "unlinked" if data.get("as") in self.links:
                self.links.remove(data["as"])
            case "closed" | "refused" | "withdrawn":
                self.status = event.type
            case "reopened":
                self.status = "open"


def case_at_period_end(timeline: CaseTimeline) -> CaseAtPeriodEnd:
    """Return the attributes of a case after the last event of its timeline."""
    case = CaseAtPeriodEnd(facts=dict(timeline.facts))
    for event in timeline.events:
        case.apply(event)
    return case


def finished_runs(events: Sequence[Event]) -> Iterator[tuple[Event, bool]]:
    """Yield the event that first finished each clock run, a breach or a stop, and whether the run was in time.

    A run stopped by a deemed approval is not in time: the approver did not act. A run whose limit had passed before it was known is left
    out: it was neither met nor missed.
    """
    finished: set[tuple[str, int]] = set()
    deemed = {_run_key(event) for event in events if event.type == "measures_deemed_approved"}
    for event in events:
        run = _run_key(event)
        # Only the first: a breach after an extension of an overdue clock is the same delay.
        if event.type in ("clock_breached", "clock_stopped") and run not in finished:
            finished.add(run)
            if event.data.get("known_at") is not None:
                continue
            yield event, event.type == "clock_stopped" and event.data.get("in_time", True) and run not in deemed


def _run_key(event: Event) -> tuple[str, int]:
    return event.data.get("clock", ""), event.data.get("round", 0)
