"""Ledger entries as replay reads them, and the input of a decision reconstructed from its events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.evidence import hash_chain
from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.lifecycle.condition_scope import INSTANT_FIELDS
from services.sla.domain.lifecycle.inputs import AdvanceTime, ApplyDecision, CaseInput, OpenCase, Recalculate, TakeAction
from services.sla.domain.lifecycle.permissions import AUTHORITY_RULE
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.domain.views import event_mapping
from shared.contracts.complaint import Complaint
from shared.procedures.model.procedure import Procedure

RECORDING_FIELDS = frozenset({"recorded_at", "procedure", "version"})
"""Fields that are added when an event is recorded, so that a decision made again does not have them."""
_ENVELOPE_FIELDS = frozenset({"type", "case", "at", "sequence"}) | RECORDING_FIELDS
_ENGINE_FIELDS = frozenset({"role", "actor", "rule", "clause", "clauses", "from_class", "needs_sign_off", "late_by"})
"""Fields that the core adds to an action's own data."""


class ReplayError(ValueError):
    """A ledger whose decisions cannot be made again; the text names the event and what is missing."""


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """A ledger entry as replay reads it: the published event (from JSON), its cause, its origin and its context stamp.

    Only the first event of a decision has an `origin`; `basis` is the stamp of the decision context (ADR 23).
    """

    body: dict[str, Any]
    cause: str = ""
    origin: str = ""
    basis: str = ""


def input_origin(case_input: CaseInput) -> str:
    """The kind of an input and what its events do not show, from which replay reconstructs it (ADR 23)."""
    match case_input:
        case OpenCase():
            return "opening"
        case TakeAction(action=action):
            return f"act {action}"
        case ApplyDecision():
            return "decided"
        case AdvanceTime(upto=upto):
            return f"tick {upto}"
        case Recalculate(at=at, reason=reason):
            return f"recount {at} {reason}"


def published_body(event: Event, case: Case, rulebook: Rulebook) -> dict[str, Any]:
    """An event as published, without the fields added when it is recorded; `case` is the case after the decision."""
    return {"type": event.type, **event_mapping.published_fields(event, case, rulebook.procedure, rulebook.worktime_for(case.department))}


def to_recorded_events(
    case_input: CaseInput, events: Sequence[Event], case: Case, rulebook: Rulebook, now: datetime, basis: str = ""
) -> list[RecordedEvent]:
    """The events of a decision as its ledger entries are read back."""
    recording_fields = {"recorded_at": now, "procedure": case.procedure, "version": case.version}
    origin, recorded = input_origin(case_input), []
    for event in events:
        body = orjson.loads(hash_chain.canonical_json({**published_body(event, case, rulebook), **recording_fields}))
        recorded.append(RecordedEvent(body, event.cause, origin, basis))
        origin = ""
    return recorded


def group_by_decision(recorded_events: Iterable[RecordedEvent]) -> Iterator[list[RecordedEvent]]:
    """The events of each decision, in order."""
    group: list[RecordedEvent] = []
    for recorded in recorded_events:
        if recorded.origin and group:
            yield group
            group = []
        group.append(recorded)
    if group:
        yield group


def reconstruct_input(group: Sequence[RecordedEvent], procedure: Procedure) -> CaseInput:
    """The input of a decision, from all its events; raises `ReplayError` if they do not show it."""
    kind, *arguments = group[0].origin.split(" ")
    match kind:
        case "tick":
            return AdvanceTime(int(arguments[0]))
        case "recount":
            return Recalculate(int(arguments[0]), arguments[1])
        case "opening":
            return _read_open_case(group, procedure)
        case "act":
            return _read_action(arguments[0], _input_event(group, {"action"}), procedure)
        case "decided":
            return _read_decision(_input_event(group, {"triage", "message"}), procedure)
    raise ReplayError(f"event {group[0].body.get('sequence')} has no origin that names its input")


def parse_instant_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of an event read from JSON, with instants in microseconds."""
    return {name: parse_micros(value) if name in INSTANT_FIELDS and isinstance(value, str) else value for name, value in fields.items()}


def parse_micros(text: str) -> int:
    """An ISO 8601 instant in microseconds; raises `ValueError`."""
    return to_micros(datetime.fromisoformat(text))


def _input_event(group: Sequence[RecordedEvent], causes: set[str]) -> dict[str, Any]:
    for recorded in group:
        if recorded.cause in causes:
            return recorded.body
    raise ReplayError(f"event {group[0].body.get('sequence')} begins a decision without the event of its input ({' or '.join(causes)})")


def _read_open_case(group: Sequence[RecordedEvent], procedure: Procedure) -> OpenCase:
    registered = _input_event(group, {"opening"})
    classified = next((recorded.body for recorded in group if recorded.body["type"] == "classified"), None)
    if classified is None:
        raise ReplayError("event 1 is not followed by triage's first decision")
    complaint = Complaint.model_validate(registered["complaint"])
    return OpenCase(
        case=registered["case"],
        procedure=procedure.id,
        version=procedure.version,
        received_at=to_micros(complaint.received_at),
        registered_at=parse_micros(registered["at"]),
        complaint=event_mapping.stored_complaint(complaint),
        registered=_event_data(registered, procedure),
        classified=_event_data(classified, procedure),
        parameters=registered.get("parameters", {}),
    )


def _read_action(action: str, fields: dict[str, Any], procedure: Procedure) -> TakeAction:
    at, role, actor = parse_micros(fields["at"]), fields.get("role", ""), fields.get("actor", "")
    if fields["type"] == "action_refused":
        denied = fields["reason"] if fields.get("rule") == AUTHORITY_RULE else ""
        return TakeAction(action, at, role, actor, parse_instant_fields(fields.get("data", {})), denied)
    data = {name: value for name, value in _event_data(fields, procedure).items() if name not in _ENGINE_FIELDS}
    if action in ("route", "reassign"):
        data.pop("by", None)  # the acting role, added by the core
    # The type of the event shows `passed`, which is no field of it.
    if fields["type"] in ("review_rejected", "verification_failed"):
        data["passed"] = False
    return TakeAction(action, at, role, actor, data)


def _read_decision(fields: dict[str, Any], procedure: Procedure) -> ApplyDecision:
    at, event_type = parse_micros(fields["at"]), fields["type"]
    cause = "message" if event_type.startswith("notification_") else "triage"
    if event_type != "action_refused":
        return ApplyDecision(event_type, at, _event_data(fields, procedure), cause)
    # The refusal of a decision that a person's outranks carries the fields of that decision.
    outranked = "routed" if fields["action"] == "route" else "reclassified"
    return ApplyDecision(outranked, at, parse_instant_fields(fields.get("data", {})), cause)


def _event_data(fields: dict[str, Any], procedure: Procedure) -> dict[str, Any]:
    """The event's fields without its envelope, with instants and facts as the core has them."""
    data = parse_instant_fields({name: value for name, value in fields.items() if name not in _ENVELOPE_FIELDS})
    if "facts" in data:
        data["facts"] = event_mapping.typed_facts(data["facts"], procedure)
    return data
