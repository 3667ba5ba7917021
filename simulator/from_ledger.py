"""Converts recorded ledgers into a scenario with the complaints and people's actions, so that the cases can be simulated again."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from services.sla.domain.deadlines.worktime import from_micros
from services.sla.domain.evidence.recorded_events import RecordedEvent, group_by_decision, reconstruct_input
from services.sla.domain.lifecycle.condition_scope import INSTANT_FIELDS
from services.sla.domain.lifecycle.inputs import TakeAction
from shared.contracts.actions import ActionData
from shared.contracts.complaint import ComplaintFields
from shared.procedures.model.procedure import Procedure
from simulator.scenario import Scenario, parse_scenario

_ACTION_FIELD_NAMES = {"extend_by": "by", "to_case": "case", "to_role": "role"}
"""Field of an event → the field of the action's data, where they differ."""
_ACTION_FIELDS = frozenset(info.alias or name for name, info in ActionData.model_fields.items())
_COMPLAINT_FIELDS = frozenset(ComplaintFields.model_fields) | {"source", "external_id"}


def scenario_from_ledgers(ledgers: Mapping[str, Sequence[RecordedEvent]], procedure: Procedure) -> Scenario:
    """The scenario of cases recorded under one procedure, by case id; raises `ValueError` where a ledger cannot be read."""
    steps = [step for case, events in ledgers.items() for step in _steps(case, events, procedure)]
    registered = next(iter(ledgers.values()))[0].body
    last = max(datetime.fromisoformat(event.body["at"]) for events in ledgers.values() for event in events)
    data = {
        "procedure": procedure.id,
        "parameters": {name: value for name, value in registered.get("parameters", {}).items() if name in procedure.parameters},
        "complaints": [_complaint(case, events[0].body) for case, events in ledgers.items()],
        "steps": sorted(steps, key=lambda step: datetime.fromisoformat(step["at"])),
        # A microsecond later, so that what is due at the last instant still fires.
        "until": (last + timedelta(microseconds=1)).isoformat(),
    }
    return parse_scenario(data, "the recorded cases")


def _complaint(case: str, registered: Mapping[str, Any]) -> dict[str, Any]:
    complaint = registered["complaint"]
    return {
        "id": case,
        **{name: value for name, value in complaint.items() if name in _COMPLAINT_FIELDS and value},
        "registered_at": registered["at"],
        "complainant": _complainant(complaint.get("complainant", {})),
    }


def _complainant(masked: Mapping[str, Any]) -> dict[str, Any]:
    """The complainant from the masked data of the ledger: masked values replace the original ones.

    The keyed hash of the person serves as the id_number, so that triage recognises the same person in several cases: no hash is a
    valid phone number.
    """
    # A placeholder for what is not even masked, so that fields which the procedure requires count as given.
    personal = {name: masked.get(name) or "*" for name in masked.get("has", [])}
    open_fields = {name: masked[name] for name in ("kind", "anonymous", "identity", "enterprise", "household") if masked.get(name)}
    if masked.get("id"):
        personal["id_number"] = masked["id"]
    return {**personal, **open_fields}


def _steps(case: str, events: Sequence[RecordedEvent], procedure: Procedure) -> Iterator[dict[str, Any]]:
    """The actions of people; triage and timers run again in the simulation."""
    for decision in group_by_decision(events):
        if not decision[0].origin.startswith("act "):
            continue
        action = reconstruct_input(decision, procedure)
        if isinstance(action, TakeAction):
            yield {
                "at": from_micros(action.at).isoformat(),
                "case": case,
                "action": action.action,
                "role": action.role,
                "person": action.actor,
                "data": _action_data(action),
            }


def _action_data(action: TakeAction) -> dict[str, Any]:
    data = {_ACTION_FIELD_NAMES.get(name, name): _format_value(name, value) for name, value in action.data.items()}
    return {name: value for name, value in data.items() if name in _ACTION_FIELDS and value is not None}


def _format_value(name: str, value: Any) -> Any:
    is_instant = name in INSTANT_FIELDS and isinstance(value, int) and not isinstance(value, bool)
    return from_micros(value).isoformat() if is_instant else value
