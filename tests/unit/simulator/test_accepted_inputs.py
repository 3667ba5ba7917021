"""What the edges accept, registration, triage and sla can decide on: any submission and any action, without an error."""

import json
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.intake.application.registration_result import PendingRegistration
from services.intake.application.submission_reading import SubmissionReader
from services.intake.channels.json_document import MalformedJsonError, parse_json
from services.intake.domain.submission import SourceContext, prepare_registration, registered_event
from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.lifecycle.inputs import AdvanceTime
from services.sla.domain.views import event_mapping
from services.triage.domain.state import TriageState
from shared.contracts import decode_body
from shared.contracts.actions import ACTION_DEFINITIONS, Action
from shared.contracts.complaint import Complainant, Submission
from shared.contracts.events import encode_event
from shared.contracts.events.triage import Registered
from shared.contracts.json_text import JsonTextError
from shared.procedures.loading.loader import load_procedure
from shared.procedures.model.bound_procedure import BoundProcedure, bind_parameters
from shared.procedures.organisation import ComplaintSource, open_organisation
from shared.runtime.clock import Clock
from simulator.simulation import Simulation

NOW = datetime(2026, 11, 9, 2, tzinfo=UTC)
PROCEDURES = ("greentown-qd1001", "eight-steps", "realestate-engineering")
EDGES = ("0001-01-01T00:00:00Z", "1999-12-31T00:00:00Z", "2000-01-01T00:00:00Z", "2099-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "20261109")
INSTANTS = st.sampled_from(EDGES) | st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(lambda at: f"{at.isoformat()}+08:00")  # noqa: DTZ001
SCALARS = st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.floats() | st.text(max_size=20) | INSTANTS | st.just("1900-01-01")
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=6
)
EXTENSIONS = ("request_extension", "grant_extension", "agree_date", "amend")
DURATIONS = st.sampled_from(["999999999999wd", "2wd", "1h", "0d", "9999999mo", "0.5wd", "same_day", "1000000y", "-1d", "date: agreed_date"])


@lru_cache
def bound_procedure(name: str) -> BoundProcedure:
    return bind_parameters(load_procedure(name))


def fields_of(names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(names), VALUES, max_size=6)


def complaints(procedure: str) -> st.SearchStrategy[dict[str, Any]]:
    facts = sorted(bound_procedure(procedure).procedure.facts)
    return st.builds(
        lambda fields, complainant, facts, received_at: {
            **fields,
            "complainant": complainant,
            "facts": facts,
            "text": "电梯停运",
            "received_at": received_at,
        },
        fields_of(sorted(Submission.model_fields)),
        fields_of(sorted(Complainant.model_fields)),
        st.dictionaries(st.sampled_from([*facts, "undeclared"]), VALUES, max_size=8),
        st.just((NOW - timedelta(hours=1)).isoformat()) | INSTANTS,
    )


def actions(procedure: str) -> st.SearchStrategy[dict[str, Any]]:
    bound = bound_procedure(procedure)
    clocks = [clock.id for clock in bound.procedure.clocks]
    data = {
        "until": INSTANTS,
        "date": INSTANTS,
        "next_date": INSTANTS,
        "by": DURATIONS,
        "clock": st.sampled_from(clocks),
        "passed": st.booleans(),
        "facts": st.dictionaries(st.sampled_from(sorted(bound.procedure.facts)), VALUES, max_size=4),
        "fields": fields_of(sorted(Submission.model_fields)),
        **dict.fromkeys(("reason", "text", "department", "case", "person", "class"), st.text(max_size=10)),
        "as": st.sampled_from(["duplicate", "group", "repeat"]),
        "outcome": st.sampled_from(["satisfied", "dissatisfied", "unreachable"]),
        "figures": st.dictionaries(st.text(max_size=5), VALUES, max_size=3),
        **dict.fromkeys(("cause", "household", "notice", "place", "caller", "to"), st.text(max_size=10)),
        **dict.fromkeys(("persons", "units", "absentees", "attachments"), st.lists(st.text(max_size=10), max_size=3)),
        "amount": st.integers(0, 10**11).map(lambda cents: cents / 100),
        "agreed": st.booleans(),
        "happened_at": INSTANTS,
        "sanction": st.sampled_from(["warning", "fine"]),
        "compensation": st.sampled_from(["cash", "replacement"]),
        "concealment": st.sampled_from(["refusal", "late_report"]),
        "result": st.sampled_from(["reached", "busy"]),
    }
    drawn = st.lists(st.sampled_from(sorted(data)), max_size=4, unique=True)
    return st.fixed_dictionaries(
        {
            "case": st.just("case"),
            "action": st.sampled_from(sorted(ACTION_DEFINITIONS)) | st.sampled_from(EXTENSIONS),
            "role": st.sampled_from(["system", "complainant", *bound.procedure.roles]),
            "data": drawn.flatmap(lambda names: st.fixed_dictionaries({name: data[name] for name in names})),
        }
    )


@lru_cache
def simulation_of(procedure: str) -> Simulation:
    return Simulation(bound_procedure(procedure), open_organisation())


def opened_case(procedure: str, body: bytes) -> Simulation | None:
    """A simulation with the complaint registered and classified; None if intake refuses it."""
    bound, simulation = bound_procedure(procedure), simulation_of(procedure)
    simulation.cases, simulation.timeline, simulation.triage_state = {}, [], TriageState()
    source = ComplaintSource(id="web", procedure=procedure)
    context = SourceContext(source, bound, simulation.worktime.calendar.zone, "CN", b"key")
    try:
        read = SubmissionReader(Clock(NOW, NOW), 262_144).read(parse_json(body), context, traceparent=None, accepted_at=NOW)
    except MalformedJsonError:
        return None
    if not isinstance(read, PendingRegistration):
        return None
    registered = registered_event(prepare_registration(read.submission, context, "case", NOW, read.unreadable), 1, None)
    published = Registered.model_validate_json(encode_event(registered))
    simulation.now = to_micros(NOW)
    events = simulation.triage_state.add_case(published, simulation.triage_rules, simulation._triage_context(simulation.now))
    simulation._apply_triage_events(events, simulation.now)
    return simulation


@pytest.mark.parametrize("procedure", PROCEDURES)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_accepted_submission_and_action_can_be_decided(procedure: str, data: st.DataObject) -> None:
    simulation = opened_case(procedure, json.dumps(data.draw(complaints(procedure))).encode())
    if simulation is None:
        return
    for body in data.draw(st.lists(actions(procedure), max_size=4)):
        try:
            action = decode_body("action", json.dumps(body).encode())
        except (JsonTextError, ValidationError):
            continue
        assert isinstance(action, Action)
        simulation.now += 1_000_000
        case_input = event_mapping.to_take_action(action.action, simulation.now, (action.role, ""), action.data, simulation.bound.procedure)
        simulation._decide("case", case_input)
    simulation.now += 90 * 86_400_000_000
    simulation._decide("case", AdvanceTime(simulation.now))
