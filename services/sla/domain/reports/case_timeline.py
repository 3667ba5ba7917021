"""Builds the timeline of a case, the input of statistics and handling times, from the bodies of its published events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.lifecycle.case import Event
from services.sla.domain.lifecycle.condition_scope import INSTANT_FIELDS


@dataclass(frozen=True, slots=True)
class CaseTimeline:
    """A case's events in ledger order, with its id, receipt instant (UTC microseconds), channel, complainant kind and first facts."""

    case: str
    received_at: int
    channel: str
    complainant_kind: str
    events: Sequence[Event]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def before(self, until: int) -> CaseTimeline:
        """Return the timeline of what happened before an instant."""
        return replace(self, events=[event for event in self.events if event.at < until])


def case_timeline(case: str, bodies: Sequence[dict[str, Any]]) -> CaseTimeline:
    """Build a case's timeline from its event bodies in ledger order; instants are ISO 8601 there."""
    registered = next((body for body in bodies if body["type"] == "registered"), {})
    complaint = registered.get("complaint", {})
    return CaseTimeline(
        case=case,
        received_at=_parse_micros(complaint.get("received_at") or bodies[0]["at"]),
        channel=complaint.get("channel", "hotline"),
        complainant_kind=complaint.get("complainant", {}).get("kind", "customer"),
        events=[Event(body["type"], _parse_micros(body["at"]), body["sequence"], _parse_instant_fields(body)) for body in bodies],
        facts=complaint.get("facts", {}),
    )


def _parse_instant_fields(body: dict[str, Any]) -> dict[str, Any]:
    return {name: _parse_micros(value) if name in INSTANT_FIELDS and isinstance(value, str) else value for name, value in body.items()}


def _parse_micros(text: str) -> int:
    return to_micros(datetime.fromisoformat(text))
