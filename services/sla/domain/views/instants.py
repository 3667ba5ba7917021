"""Writes all instants of an answer in one zone: events are stored in the zone of the department that led the case at the time."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from services.sla.domain.deadlines.worktime import from_micros
from services.sla.domain.lifecycle.condition_scope import INSTANT_FIELDS
from shared.contracts.instants import read_instant
from shared.procedures.model.procedure import Procedure

_COMPLAINT_INSTANTS = frozenset({"received_at", "registered_at", "happened_at"})


def to_text(at: int | None, zone: tzinfo) -> str | None:
    """An instant in microseconds as ISO 8601 text in the zone; None stays None."""
    return None if at is None else from_micros(at).astimezone(zone).isoformat()


def event_in_zone(event: dict[str, Any], procedure: Procedure, zone: tzinfo) -> dict[str, Any]:
    """A published event with its instants in the zone; other texts that look like instants are a person's words and stay."""
    facts = {name for name, fact in procedure.facts.items() if fact.type == "instant"}
    return {name: _in_zone(name, value, INSTANT_FIELDS | _COMPLAINT_INSTANTS | facts, zone) for name, value in event.items()}


def explanation_in_zone(explanation: Any, zone: tzinfo) -> Any:
    """The explanation of a deadline, in which no person wrote a text: every instant in the zone."""
    match explanation:
        case dict():
            return {name: explanation_in_zone(value, zone) for name, value in explanation.items()}
        case list() | tuple():
            return [explanation_in_zone(value, zone) for value in explanation]
        case _:
            return _shifted(explanation, zone)


def _in_zone(name: str, value: Any, instants: frozenset[str], zone: tzinfo) -> Any:
    if isinstance(value, dict):
        return {key: _in_zone(key, each, instants, zone) for key, each in value.items()}
    return _shifted(value, zone) if name in instants else value


def _shifted(value: Any, zone: tzinfo) -> Any:
    if not isinstance(value, str | datetime):
        return value
    instant = read_instant(value)
    return value if instant is None else instant.astimezone(zone).isoformat()
