"""Between the wire and the core: contract models with datetimes out there, plain fields with microseconds in here."""

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
    """The first decision on a complaint as the core takes it; raises `ValueError` if the event lacks the registration."""
    registered = classified.registered
    if registered is None:
        raise ValueError("classified does not carry the registration; triage sends it with the first decision on a case")
    complaint = registered.complaint
    given = event_fields(classified, procedure)
    given["facts"] = typed_facts({**complaint.facts, **classified.facts}, procedure)
    return OpenCase(
        case=classified.case,
        procedure=procedure.id,
        version=procedure.version,
        received_at=to_micros(complaint.received_at),
        registered_at=to_micros(registered.at),
        complaint=stored_complaint(complaint),
        registered={**event_fields(registered, procedure), "complaint": complaint_to_json(complaint)},
        classified=given,
        parameters=dict(registered.parameters),
    )


def to_take_action(action: str, at: int, actor: tuple[str, str], data: ActionData, procedure: Procedure, denied: str = "") -> TakeAction:
    """An action as the core takes it; `actor` is the role and the person's id, `denied` why he does not hold it."""
    given = instants_to_micros(data.model_dump(by_alias=True, exclude_unset=True))
    if "facts" in given:
        given["facts"] = typed_facts(given["facts"], procedure)
    return TakeAction(action, at, actor[0], actor[1], given, denied)


def to_apply_decision(event: CaseEvent, at: int, procedure: Procedure, cause: str = "triage") -> ApplyDecision:
    """A decision of triage, or news of a message, as the core takes it."""
    return ApplyDecision(event.type, at, event_fields(event, procedure), cause)


def instants_to_micros(data: dict[str, Any]) -> dict[str, Any]:
    """Fields with instants as microseconds, for an input whose procedure is not known yet."""
    return {name: _to_micros(name, value) for name, value in data.items()}


def untyped_event_fields(event: CaseEvent) -> dict[str, Any]:
    """The fields of an event whose case, and so whose procedure, is not known yet."""
    return instants_to_micros(_non_default_fields(event, _EVENT_FIELD_DEFAULTS[type(event)]))


def event_fields(event: CaseEvent, procedure: Procedure) -> dict[str, Any]:
    """The fields of a contract event that say something, with instants as microseconds."""
    found = untyped_event_fields(event)
    if "facts" in found:
        found["facts"] = typed_facts(found["facts"], procedure)
    return found


def complaint_to_json(complaint: Complaint) -> dict[str, Any]:
    """What a complaint says, as plain JSON."""
    said = _non_default_fields(complaint, _COMPLAINT_FIELD_DEFAULTS)
    masked = _non_default_fields(complaint.complainant, _COMPLAINANT_FIELD_DEFAULTS)
    if masked:
        said["complainant"] = masked
    found: dict[str, Any] = to_jsonable_python(said, exclude_none=True)
    return found


def _non_default_fields(model: BaseModel, saying: tuple[tuple[str, str, Any], ...]) -> dict[str, Any]:
    """The fields that differ from their defaults, by their names on the wire."""
    values = vars(model)
    return {name: value for field, name, default in saying if (value := values[field]) is not None and value != default}


def _field_defaults(cls: type[BaseModel], *apart: str) -> tuple[tuple[str, str, Any], ...]:
    """The fields of a model but for some: attribute, name on the wire, default."""
    return tuple(
        (field, info.serialization_alias or field, info.get_default(call_default_factory=True, validated_data={}))
        for field, info in cls.model_fields.items()
        if field not in apart
    )


# A model's dump asks all this anew for every event and takes four times as long.
_EVENT_FIELD_DEFAULTS = {cls: _field_defaults(cls, *_ENVELOPE_FIELDS, "complaint", "registered") for cls in EVENT_CLASSES.values()}
_COMPLAINT_FIELD_DEFAULTS = _field_defaults(Complaint, "complainant")
_COMPLAINANT_FIELD_DEFAULTS = _field_defaults(MaskedComplainant)


def typed_facts(values: dict[str, Any], procedure: Procedure) -> dict[str, Any]:
    """Facts in their declared types, instants as microseconds; undeclared ones stay as they are, unfit ones are left out."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        declared = procedure.facts.get(name)
        fit = value if declared is None else coerce_fact(declared, value)
        if fit is not None:
            found[name] = to_micros(fit) if isinstance(fit, datetime) else fit
    return found


def published_fields(event: Event, case: Case, procedure: Procedure, worktime: Worktime) -> dict[str, Any]:
    """An event's own fields as they go out: instants as datetimes in the calendar's zone."""
    data = {**event.data}
    for name in INSTANT_FIELDS.intersection(data):
        if isinstance(data[name], int):
            data[name] = worktime.to_datetime(data[name])
    if "facts" in data:
        data["facts"] = {name: _published_fact(name, value, procedure, worktime) for name, value in data["facts"].items()}
    if isinstance(data.get("data"), dict):  # what a refused action brought along
        data["data"] = {
            name: worktime.to_datetime(value).isoformat() if name in INSTANT_FIELDS and isinstance(value, int) else value
            for name, value in data["data"].items()
        }
    data["case"], data["at"], data["sequence"] = case.id, worktime.to_datetime(event.at), event.sequence
    return data


def published_complaint(case: Case, worktime: Worktime) -> dict[str, Any]:
    """What a case is about, as it goes out: the complaint with its facts, instants as datetimes."""
    given = {name: worktime.to_datetime(value) if isinstance(value, int) else value for name, value in case.complaint.items()}
    return {**given, "facts": case.facts}


def to_contract_event(event: Event, case: Case, procedure: Procedure, worktime: Worktime, recorded_at: datetime) -> CaseEvent:
    """The contract model of an event; raises pydantic's `ValidationError` if the core made one that breaks the contract."""
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
    """What conditions read of a complaint, and the sealed contact that a message to the complainant needs."""
    values, masked = vars(complaint), vars(complaint.complainant)
    found: dict[str, Any] = {name: value for name in _STORED_COMPLAINT_FIELDS if (value := values[name])}
    for name in ("received_at", "registered_at", "happened_at"):
        value = values[name]
        if value is not None:
            found[name] = to_micros(value)
    found["complainant"] = {name: value for name in _MASKED_COMPLAINANT_FIELDS if (value := masked[name]) is not None}
    if complaint.contact:
        found["contact"] = complaint.contact
    return {"case": complaint.case, "number": complaint.number, **found}
