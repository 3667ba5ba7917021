"""A case as the figures take it, out of its events as they were published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.lifecycle.case import Event
from services.sla.domain.lifecycle.condition_scope import INSTANT_FIELDS


@dataclass(frozen=True, slots=True)
class CaseTimeline:
    """A case as its ledger tells it: id, instant of receipt (microseconds), channel, kind of complainant, events in order."""

    case: str
    received_at: int
    channel: str
    complainant_kind: str
    events: Sequence[Event]
    facts: Mapping[str, Any] = field(default_factory=dict)


def case_timeline(case: str, bodies: Sequence[dict[str, Any]]) -> CaseTimeline:
    """A case as the figures take it, out of its events as they were published."""
    registered = next((body for body in bodies if body["type"] == "registered"), {})
    complaint = registered.get("complaint", {})
    events = [Event(body["type"], _parse_micros(body["at"]), body["sequence"], _instants_to_micros(body)) for body in bodies]
    received = complaint.get("received_at") or bodies[0]["at"]
    who = complaint.get("complainant", {}).get("kind", "customer")
    return CaseTimeline(case, _parse_micros(received), complaint.get("channel", "hotline"), who, events, complaint.get("facts", {}))


def _instants_to_micros(body: dict[str, Any]) -> dict[str, Any]:
    return {name: _parse_micros(value) if name in INSTANT_FIELDS and isinstance(value, str) else value for name, value in body.items()}


def _parse_micros(written: str) -> int:
    return to_micros(datetime.fromisoformat(written))
