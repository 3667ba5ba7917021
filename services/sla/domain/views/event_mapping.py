"""Converts contract models with datetimes to inputs with microseconds, and events back to contract fields and models."""

from __future__ import annotations

from datetime import datetime
from typing import Any

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

_NOT_INPUT_FIELDS = {"case", "at", "recorded_at", "sequence", "procedure", "version", "complaint", "registered"}
"""The envelope of an event, and the models that an input carries apart from its fields."""
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
    """The input that opens a case; raises `ValueError` if triage's event does not carry the registration."""
    registered = classified.registered
    if registered is None:
        raise ValueError("classified does not carry the registration; triage sends it with the first decision on a case")
    complaint = registered.complaint
    decision = event_fields(classified, procedure)
    decision["facts"] = typed_facts({**complaint.facts, **classified.facts}, procedure)
    return OpenCase(
        case=classified.case,
        procedure=procedure.id,
        version=procedure.version,
        received_at=to_micros(complaint.received_at),
        registered_at=to_micros(registered.at),
        complaint=stored_complaint(complaint),
        registered={**event_fields(registered, procedure), "complaint": complaint_to_json(complaint)},
        classified=decision,
        parameters=dict(registered.parameters),
    )


def to_take_action(action: str, at: int, actor: tuple[str, str], data: ActionData, procedure: Procedure, denied: str = "") -> TakeAction:
    """The input of an action; `actor` are the role and the person's id, `denied` is why the actor does not hold the role."""
    fields = instants_to_micros(data.model_dump(by_alias=True, exclude_unset=True))
    if "facts" in fields:
        fields["facts"] = typed_facts(fields["facts"], procedure)
    role, person = actor
    return TakeAction(action, at, role, person, fields, denied)


def to_apply_decision(event: CaseEvent, at: int, procedure: Procedure, cause: str = "triage") -> ApplyDecision:
    """The input of a decision of triage or of the outcome of a notification."""
    return ApplyDecision(event.type, at, event_fields(event, procedure), cause)


def event_fields(event: CaseEvent, procedure: Procedure) -> dict[str, Any]:
    """The fields of a contract event that differ from their defaults, with instants in microseconds and facts in their types."""
    fields = untyped_event_fields(event)
    if "facts" in fields:
        fields["facts"] = typed_facts(fields["facts"], procedure)
    return fields


def untyped_event_fields(event: CaseEvent) -> dict[str, Any]:
    """The same for an event whose case, and so whose procedure, is not known yet; facts stay as they are."""
    return instants_to_micros(event.model_dump(by_alias=True, exclude_defaults=True, exclude_none=True, exclude=_NOT_INPUT_FIELDS))


def instants_to_micros(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields with their datetimes in microseconds."""
    return {name: to_micros(value) if name in INSTANT_FIELDS and isinstance(value, datetime) else value for name, value in fields.items()}


def complaint_to_json(complaint: Complaint) -> dict[str, Any]:
    """The fields of a complaint that differ from their defaults, as JSON values."""
    return complaint.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)


def stored_complaint(complaint: Complaint) -> dict[str, Any]:
    """The fields of a complaint that conditions read, and the sealed contact data that a message to the complainant needs."""
    values, masked = vars(complaint), vars(complaint.complainant)
    stored: dict[str, Any] = {"case": complaint.case, "number": complaint.number}
    stored |= {name: value for name in _STORED_COMPLAINT_FIELDS if (value := values[name])}
    stored |= {name: to_micros(at) for name in ("received_at", "registered_at", "happened_at") if (at := values[name]) is not None}
    stored["complainant"] = {name: value for name in _MASKED_COMPLAINANT_FIELDS if (value := masked[name]) is not None}
    if complaint.contact:
        stored["contact"] = complaint.contact
    return stored


def typed_facts(values: dict[str, Any], procedure: Procedure) -> dict[str, Any]:
    """Facts in their declared types, with instants in microseconds; values that do not fit are left out, undeclared facts stay."""
    facts: dict[str, Any] = {}
    for name, value in values.items():
        declaration = procedure.facts.get(name)
        typed = value if declaration is None else coerce_fact(declaration, value)
        if typed is not None:
            facts[name] = to_micros(typed) if isinstance(typed, datetime) else typed
    return facts


def published_fields(event: Event, case: Case, procedure: Procedure, worktime: Worktime) -> dict[str, Any]:
    """An event's fields as published, without recording fields; instants are datetimes in the calendar's zone."""
    fields = {**event.data}
    for name in INSTANT_FIELDS.intersection(fields):
        # A fact of type date or a text under the same name stays as it is.
        if isinstance(fields[name], int):
            fields[name] = worktime.to_datetime(fields[name])
    if "facts" in fields:
        fields["facts"] = {name: _published_fact(name, value, procedure, worktime) for name, value in fields["facts"].items()}
    if isinstance(fields.get("data"), dict):
        # The data of a refused action; its field in the contract is plain JSON, so its instants are texts.
        fields["data"] = {
            name: worktime.to_datetime(value).isoformat() if name in INSTANT_FIELDS and isinstance(value, int) else value
            for name, value in fields["data"].items()
        }
    fields["case"], fields["at"], fields["sequence"] = case.id, worktime.to_datetime(event.at), event.sequence
    return fields


def published_complaint(case: Case, worktime: Worktime) -> dict[str, Any]:
    """The complaint of a case with its facts as published; instants are datetimes."""
    complaint = {name: worktime.to_datetime(value) if isinstance(value, int) else value for name, value in case.complaint.items()}
    return {**complaint, "facts": case.facts}


def to_contract_event(event: Event, case: Case, procedure: Procedure, worktime: Worktime, recorded_at: datetime) -> CaseEvent:
    """The contract model of an event; raises pydantic's `ValidationError` if the event does not fit its contract."""
    recording_fields = {"recorded_at": recorded_at, "procedure": procedure.id, "version": procedure.version}
    return EVENT_CLASSES[event.type].model_validate({**published_fields(event, case, procedure, worktime), **recording_fields})


def _published_fact(name: str, value: Any, procedure: Procedure, worktime: Worktime) -> Any:
    declaration = procedure.facts.get(name)
    if declaration is not None and declaration.type == "instant" and isinstance(value, int):
        return worktime.to_datetime(value).isoformat()
    return value
