"""Converts events, actions and complaints of the contract (datetimes) to inputs of `decide` (UTC microseconds), and events back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from services.sla.domain.deadlines.worktime import Worktime, to_micros
from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.lifecycle.condition_scope import INSTANT_FIELDS
from services.sla.domain.lifecycle.inputs import ApplyDecision, OpenCase, TakeAction
from shared.contracts.actions import ActionData
from shared.contracts.complaint import Complaint, MaskedComplainant
from shared.contracts.events import EVENT_CLASSES, CaseEvent
from shared.contracts.events.triage import Classified
from shared.procedures.model.facts import coerce_fact
from shared.procedures.model.procedure import Procedure

_ENVELOPE_FIELDS = frozenset({"case", "at", "recorded_at", "sequence", "procedure", "version"})
_STORED_COMPLAINT_FIELDS = (
    "source",
    "external_id",
    "channel",
    "kind",
    "title",
    "text",
    "object",
    "demand",
    "place",
    "product",
    "against",
    "missing",
)
_MASKED_COMPLAINANT_FIELDS = tuple(MaskedComplainant.model_fields)


def to_open_case(classified: Classified, procedure: Procedure) -> OpenCase:
    """The input of triage's first decision on a complaint; raises `ValueError` if the event lacks the registration."""
    registered = classified.registered
    if registered is None:
        raise ValueError("classified does not carry the registration; triage sends it with the first decision on a case")
    complaint = registered.complaint
    classified_fields = event_fields(classified, procedure)
    classified_fields["facts"] = typed_facts({**complaint.facts, **classified.facts}, procedure)
    return OpenCase(
        case=classified.case,
        procedure=procedure.id,
        version=procedure.version,
        received_at=to_micros(complaint.received_at),
        registered_at=to_micros(registered.at),
        complaint=stored_complaint(complaint),
        registered={**event_fields(registered, procedure), "complaint": complaint_to_json(complaint)},
        classified=classified_fields,
        parameters=dict(registered.parameters),
    )


def to_take_action(action: str, at: int, actor: tuple[str, str], data: ActionData, procedure: Procedure, denied: str = "") -> TakeAction:
    """The input of an action; `actor` is the role and the actor's id, `denied` the reason if the actor does not hold the role."""
    action_fields = instants_to_micros(data.model_dump(by_alias=True, exclude_unset=True))
    if "facts" in action_fields:
        action_fields["facts"] = typed_facts(action_fields["facts"], procedure)
    return TakeAction(action, at, actor[0], actor[1], action_fields, denied)


def to_apply_decision(event: CaseEvent, at: int, procedure: Procedure, cause: str = "triage") -> ApplyDecision:
    """The input of a decision of triage on an existing case, or of the outcome of a notification."""
    return ApplyDecision(event.type, at, event_fields(event, procedure), cause)


def instants_to_micros(data: dict[str, Any]) -> dict[str, Any]:
    """The fields with instants as microseconds; facts are left as they are, since their types depend on the procedure."""
    return {name: _to_micros(name, value) for name, value in data.items()}


def untyped_event_fields(event: CaseEvent) -> dict[str, Any]:
    """The non-default fields of an event whose case is not registered yet: facts are not converted, their types depend on the procedure."""
    fields = instants_to_micros(_non_default_fields(event, _EVENT_FIELD_DEFAULTS[type(event)]))
    # The core and its JSON columns hold plain values only.
    for name, value in fields.items():
        if isinstance(value, list) and value and isinstance(value[0], BaseModel):
            fields[name] = [entry.model_dump() for entry in value]
    return fields


def event_fields(event: CaseEvent, procedure: Procedure) -> dict[str, Any]:
    """The non-default fields of a contract event, with instants as microseconds and facts in their declared types."""
    fields = untyped_event_fields(event)
    if "facts" in fields:
        fields["facts"] = typed_facts(fields["facts"], procedure)
    return fields


def complaint_to_json(complaint: Complaint) -> dict[str, Any]:
    """The non-default fields of a complaint as JSON-ready values."""
    fields = _non_default_fields(complaint, _COMPLAINT_FIELD_DEFAULTS)
    masked = _non_default_fields(complaint.complainant, _COMPLAINANT_FIELD_DEFAULTS)
    if masked:
        fields["complainant"] = masked
    document: dict[str, Any] = to_jsonable_python(fields, exclude_none=True)
    return document


def _non_default_fields(model: BaseModel, field_defaults: tuple[tuple[str, str, Any], ...]) -> dict[str, Any]:
    """The fields that differ from their defaults, by their JSON names."""
    values = vars(model)
    return {name: value for field, name, default in field_defaults if (value := values[field]) is not None and value != default}


def _field_defaults(cls: type[BaseModel], *excluded: str) -> tuple[tuple[str, str, Any], ...]:
    """Attribute, JSON name and default of each field of a model, without the excluded ones."""
    return tuple(
        (field, info.serialization_alias or field, info.get_default(call_default_factory=True, validated_data={}))
        for field, info in cls.model_fields.items()
        if field not in excluded
    )


# Computed once: a model's dump determines names and defaults for each event and takes four times as long.
_EVENT_FIELD_DEFAULTS = {cls: _field_defaults(cls, *_ENVELOPE_FIELDS, "complaint", "registered") for cls in EVENT_CLASSES.values()}
_COMPLAINT_FIELD_DEFAULTS = _field_defaults(Complaint, "complainant")
_COMPLAINANT_FIELD_DEFAULTS = _field_defaults(MaskedComplainant)


def typed_facts(values: dict[str, Any], procedure: Procedure) -> dict[str, Any]:
    """Facts in their declared types, instants as microseconds, null for what is taken away.

    Undeclared ones stay as they are, values of another type are left out.
    """
    typed: dict[str, Any] = {}
    for name, value in values.items():
        if value is None:
            typed[name] = None
            continue
        declared = procedure.facts.get(name)
        coerced = value if declared is None else coerce_fact(declared, value)
        if coerced is not None:
            typed[name] = to_micros(coerced) if isinstance(coerced, datetime) else coerced
    return typed


def published_fields(event: Event, case: Case, procedure: Procedure, worktime: Worktime) -> dict[str, Any]:
    """The fields of an event as they are published: instants as datetimes in the calendar's zone."""
    data = {**event.data}
    for name in INSTANT_FIELDS.intersection(data):
        if isinstance(data[name], int):
            data[name] = worktime.to_datetime(data[name])
    if "facts" in data:
        data["facts"] = {name: _published_fact(name, value, procedure, worktime) for name, value in data["facts"].items()}
    if isinstance(data.get("data"), dict):  # the data of a refused action
        data["data"] = {
            name: worktime.to_datetime(value).isoformat() if name in INSTANT_FIELDS and isinstance(value, int) else value
            for name, value in data["data"].items()
        }
    data["case"], data["at"], data["sequence"] = case.id, worktime.to_datetime(event.at), event.sequence
    return data


def published_complaint(case: Case, worktime: Worktime) -> dict[str, Any]:
    """The complaint of a case with its facts as it is published to departments: instants as datetimes."""
    fields = {name: worktime.to_datetime(value) if isinstance(value, int) else value for name, value in case.complaint.items()}
    return {**fields, "facts": case.facts}


def to_contract_event(event: Event, case: Case, procedure: Procedure, worktime: Worktime, recorded_at: datetime) -> CaseEvent:
    """The contract model of an event; raises pydantic's `ValidationError` if the event does not follow the contract."""
    envelope = {"recorded_at": recorded_at, "procedure": procedure.id, "version": procedure.version}
    return EVENT_CLASSES[event.type].model_validate({**published_fields(event, case, procedure, worktime), **envelope})


def _published_fact(name: str, value: Any, procedure: Procedure, worktime: Worktime) -> Any:
    declared = procedure.facts.get(name)
    if declared is not None and declared.type == "instant" and isinstance(value, int):
        return worktime.to_datetime(value).isoformat()
    return value


def _to_micros(name: str, value: Any) -> Any:
    return to_micros(value) if name in INSTANT_FIELDS and isinstance(value, datetime) else value


def stored_complaint(complaint: Complaint) -> dict[str, Any]:
    """The fields of a complaint that a case stores: those that conditions read, and the sealed contact data for messages."""
    values, masked = vars(complaint), vars(complaint.complainant)
    stored: dict[str, Any] = {name: value for name in _STORED_COMPLAINT_FIELDS if (value := values[name])}
    for name in ("received_at", "registered_at", "happened_at"):
        value = values[name]
        if value is not None:
            stored[name] = to_micros(value)
    stored["complainant"] = {name: value for name in _MASKED_COMPLAINANT_FIELDS if (value := masked[name]) is not None}
    if complaint.contact:
        stored["contact"] = complaint.contact
    return {"case": complaint.case, "number": complaint.number, **stored}
