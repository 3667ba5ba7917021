"""Recorded cases written as a scenario: their complaints, and what persons did, so that they can be gone through again."""

from collections.abc import Mapping, Sequence
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
"""Where an event names what an action's data names otherwise."""
_ACTION_FIELDS = frozenset(info.alias or name for name, info in ActionData.model_fields.items())
_COMPLAINT = frozenset(ComplaintFields.model_fields) | {"source", "external_id"}


def scenario_from_ledgers(ledgers: Mapping[str, Sequence[RecordedEvent]], procedure: Procedure) -> Scenario:
    """The scenario of cases that were recorded under one procedure; raises `ValueError` for a ledger that cannot be read."""
    steps = [step for case, lines in ledgers.items() for step in _steps(case, lines, procedure)]
    first = next(iter(ledgers.values()))[0].body
    last = max(datetime.fromisoformat(line.body["at"]) for lines in ledgers.values() for line in lines)
    data = {
        "procedure": procedure.id,
        "parameters": {name: value for name, value in first.get("parameters", {}).items() if name in procedure.parameters},
        "complaints": [_complaint(case, lines[0].body) for case, lines in ledgers.items()],
        "steps": sorted(steps, key=lambda each: datetime.fromisoformat(each["at"])),
        "until": (last + timedelta(microseconds=1)).isoformat(),
    }
    return parse_scenario(data, "the recorded cases")


def _complaint(case: str, registered: Mapping[str, Any]) -> dict[str, Any]:
    complaint = registered["complaint"]
    return {
        "id": case,
        **{name: value for name, value in complaint.items() if name in _COMPLAINT and value},
        "registered_at": registered["at"],
        "complainant": _complainant(complaint.get("complainant", {})),
    }


def _complainant(masked: Mapping[str, Any]) -> dict[str, Any]:
    """The complainant as far as known: masked fields stand for those that were given, the keyed hash for the person."""
    given = {name: masked.get(name) or "*" for name in masked.get("has", [])}
    known = {name: masked[name] for name in ("kind", "anonymous", "identity", "enterprise", "household") if masked.get(name)}
    if masked.get("id") and "phone" in given:
        given["phone"] = masked["id"]
    return {**given, **known}


def _steps(case: str, lines: Sequence[RecordedEvent], procedure: Procedure) -> list[dict[str, Any]]:
    acts = (reconstruct_input(group, procedure) for group in group_by_decision(lines) if group[0].origin.startswith("act "))
    return [
        {
            "at": from_micros(act.at).isoformat(),
            "case": case,
            "action": act.action,
            "role": act.role,
            "person": act.actor,
            "data": _data(act),
        }
        for act in acts
        if isinstance(act, TakeAction)
    ]


def _data(act: TakeAction) -> dict[str, Any]:
    found = {_ACTION_FIELD_NAMES.get(name, name): _to_scenario_value(name, value) for name, value in act.data.items()}
    return {name: value for name, value in found.items() if name in _ACTION_FIELDS and value is not None}


def _to_scenario_value(name: str, value: Any) -> Any:
    return from_micros(value).isoformat() if name in INSTANT_FIELDS and isinstance(value, int) and not isinstance(value, bool) else value
