"""Ledger entries as replay reads them, and the input of a decision reconstructed from them."""

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
from services.sla.domain.lifecycle.inputs import (
    AUTHORITY_RULE,
    ERASURE_CAUSE,
    AdvanceTime,
    ApplyDecision,
    CaseInput,
    OpenCase,
    Recalculate,
    TakeAction,
)
from services.sla.domain.lifecycle.links.resolution import LINK_RULE
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.domain.views import event_mapping
from shared.contracts.actions import ACTION_DEFINITIONS
from shared.contracts.complaint import Complaint
from shared.contracts.erasure.personal_values import ERASED_FIELD
from shared.procedures.model.procedure import Procedure

ENGINE_FIELDS = frozenset({"role", "actor", "rule", "clause", "clauses", "from_class", "needs_sign_off", "missing", "late_by"})
"""Fields of an action's event that `decide` adds to the action's own data."""
NOT_REPLAYED_FIELDS = frozenset({"recorded_at", "procedure", "version", ERASED_FIELD})
"""Fields of an event that are added when it is recorded: a replayed event does not have them, so they are not compared."""
_NOT_PASSED_EVENTS = frozenset(action.event_id_if_not_passed for action in ACTION_DEFINITIONS.values()) - {""}
_ENVELOPE_FIELDS = frozenset({"type", "case", "at", "sequence"}) | NOT_REPLAYED_FIELDS


class ReplayError(ValueError):
    """A ledger that cannot be replayed; the text names the event and what it lacks."""


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """A ledger entry for replay: the published event (read from JSON), its cause, and the origin and context stamp of its decision.

    `origin` is set on the first event of each decision only; `basis` is the stamp of the decision context.
    """

    body: dict[str, Any]
    cause: str = ""
    origin: str = ""
    basis: str = ""


def input_origin(case_input: CaseInput) -> str:
    """The text that is stored with the first event of a decision: the kind of the input, and the values that no event has."""
    match case_input:
        case OpenCase():
            return "opening"
        # The event does not show it: to classify a second time causes `reclassified` (ADR 23).
        case TakeAction(action=action):
            return f"act {action}"
        case ApplyDecision():
            return "decided"
        case AdvanceTime(upto=upto):
            return f"tick {upto}"
        case Recalculate(at=at, reason=reason):
            return f"recount {at} {reason}"


def published_body(event: Event, case: Case, rulebook: Rulebook) -> dict[str, Any]:
    """An event as it is published, without `NOT_REPLAYED_FIELDS`; `case` is the case after the decision."""
    return {"type": event.type, **event_mapping.published_fields(event, case, rulebook.procedure, rulebook.worktime_for(case.department))}


def to_recorded_events(
    case_input: CaseInput, events: Sequence[Event], case: Case, rulebook: Rulebook, now: datetime, basis: str = ""
) -> list[RecordedEvent]:
    """The ledger entries of a decision, as they are read from a stored ledger."""
    envelope = {"recorded_at": now, "procedure": case.procedure, "version": case.version}
    bodies = (orjson.loads(hash_chain.canonical_json({**published_body(event, case, rulebook), **envelope})) for event in events)
    first = input_origin(case_input)
    pairs = zip(events, bodies, strict=True)
    return [RecordedEvent(fields, event.cause, "" if number else first, basis) for number, (event, fields) in enumerate(pairs)]


def group_by_decision(recorded_events: Iterable[RecordedEvent]) -> Iterator[list[RecordedEvent]]:
    """The events of each decision."""
    group: list[RecordedEvent] = []
    for line in recorded_events:
        if line.origin and group:
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def reconstruct_input(group: Sequence[RecordedEvent], procedure: Procedure) -> CaseInput:
    """The input of a decision, reconstructed from the events of the decision; raises `ReplayError`."""
    kind, *rest = group[0].origin.split(" ")
    match kind:
        case "tick":
            return AdvanceTime(int(rest[0]))
        case "recount":
            return Recalculate(int(rest[0]), rest[1])
        case "opening":
            return _read_open_case(group, procedure)
        case "act":
            return _read_action(rest[0], _input_event(group, {"action"}), procedure)
        case "decided":
            return _read_decision(group, procedure)
    raise ReplayError(f"event {group[0].body.get('sequence')} has no origin, or an unknown one")


def _input_event(group: Sequence[RecordedEvent], causes: set[str]) -> dict[str, Any]:
    for line in group:
        if line.cause in causes:
            return line.body
    raise ReplayError(f"event {group[0].body.get('sequence')} starts a decision without an event of cause {' or '.join(causes)}")


def _read_open_case(group: Sequence[RecordedEvent], procedure: Procedure) -> OpenCase:
    registered = _input_event(group, {"opening"})
    classified = next((line.body for line in group if line.body["type"] == "classified"), None)
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
        rule = fields.get("rule", "")
        # Neither the organisation's roles nor other cases are in this ledger: what they forbade is taken from the refusal.
        denied = fields["reason"] if rule in (AUTHORITY_RULE, LINK_RULE) else ""
        return TakeAction(action, at, role, actor, _instants_to_micros(fields.get("data", {})), denied, rule or AUTHORITY_RULE)
    data = {name: value for name, value in _event_data(fields, procedure).items() if name not in ENGINE_FIELDS}
    # On these events `by` is the acting role, which `decide` adds.
    if action in ("route", "reassign"):
        data.pop("by", None)
    # The event type replaces the field `passed` of the action.
    if ACTION_DEFINITIONS[action].event_id_if_not_passed:
        data["passed"] = fields["type"] not in _NOT_PASSED_EVENTS
    return TakeAction(action, at, role, actor, data)


def _read_decision(group: Sequence[RecordedEvent], procedure: Procedure) -> ApplyDecision:
    causes = {"triage", "message", "case", ERASURE_CAUSE}
    fields = _input_event(group, causes)
    cause = next(line.cause for line in group if line.cause in causes)
    at, event_type = parse_micros(fields["at"]), fields["type"]
    if event_type != "action_refused":
        return ApplyDecision(event_type, at, _event_data(fields, procedure), cause)
    if fields.get("rule") == LINK_RULE:
        return ApplyDecision("action_refused", at, _event_data(fields, procedure), cause)
    # A person had decided before, so triage's decision was refused: every decision on that field is refused again.
    event_type = "routed" if fields["action"] == "route" else "reclassified"
    return ApplyDecision(event_type, at, _instants_to_micros(fields.get("data", {})), cause)


def _event_data(fields: dict[str, Any], procedure: Procedure) -> dict[str, Any]:
    """The fields of an event without its envelope, as `decide` uses them: instants in microseconds, facts in their declared types."""
    data = _instants_to_micros({name: value for name, value in fields.items() if name not in _ENVELOPE_FIELDS})
    if "facts" in data:
        data["facts"] = event_mapping.typed_facts(data["facts"], procedure)
    return data


def _instants_to_micros(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: parse_micros(value) if name in INSTANT_FIELDS and isinstance(value, str) else value for name, value in data.items()}


def parse_micros(text: str) -> int:
    """An ISO 8601 instant with offset as microseconds since 1970."""
    return to_micros(datetime.fromisoformat(text))
