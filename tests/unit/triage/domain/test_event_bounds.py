"""Events on which triage could not decide are dead letters, and every other one is decided: no content stops triage."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.triage.application.case_rows import row_from_case
from services.triage.domain.compiled_rules import TriageRules, compile_rules
from services.triage.domain.event_bounds import EventBoundsError, require_decidable
from services.triage.domain.rule_scope import TriageContext
from services.triage.domain.state import TriageState
from services.triage.handlers import verify_record
from shared.contracts.events import decode_event, encode_event
from shared.contracts.events.triage import Registered
from shared.contracts.events.up_to_approval import Amended
from shared.contracts.topics import CASE_EVENTS
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Organisation
from shared.runtime.errors import Rejected
from tests.support.messaging.cloud_events import received_record
from tests.support.messaging.sample_organisation import registered_event, sample_complaint
from tests.unit.triage.conftest import PROCEDURE, START, MakeRules

NESTED: Any = "x"
for _ in range(190):
    NESTED = [NESTED]
HOSTILE_FACTS = (
    {"policy": NESTED},
    {"whim": NESTED},
    {"persons": 10**30},
    {"whim": 10**30},
    {"whim": float("nan")},
    {"whim": "x" * 100_000},
)
FRAGILE: dict[str, Any] = {
    "classes": [{"id": "grave", "when": "facts.persons + 1 > 5", "clause": "7.1"}, {"id": "light", "clause": "7.5"}],
    "counts": [{"id": "first", "key": "complaint.against[0]", "threshold": 2, "does": {}}],
    "routes": [{"id": "r", "when": "10 / facts.persons > 1", "department": "finance"}],
}


def registration(**fields: Any) -> Registered:
    return registered_event(sample_complaint("c1", START, **({"text": "你好"} | fields)), "shop", 2)


@pytest.mark.parametrize("facts", HOSTILE_FACTS, ids=range(len(HOSTILE_FACTS)))
def test_facts_beyond_the_bounds_of_the_edges_are_dead_letters(facts: dict[str, Any]) -> None:
    for event in (Amended(case="c1", at=START, facts=facts), Amended(case="c1", at=START, fields=facts), registration(facts=facts)):
        with pytest.raises(EventBoundsError, match=r"facts|fields"):
            require_decidable(event, b"")


@pytest.mark.parametrize("name", ["received_at", "registered_at", "happened_at"])
@pytest.mark.parametrize("year", [1, 1999, 2100, 9999])
def test_instants_that_no_service_computes_with_are_dead_letters(name: str, year: int) -> None:
    with pytest.raises(EventBoundsError, match=rf"^(complaint\.{name}|at): send an instant from 2000"):
        require_decidable(registration(**{name: datetime(year, 1, 1, tzinfo=UTC)}), b"")


def test_complaint_of_another_case_is_a_dead_letter() -> None:
    event = registration().model_copy(update={"case": "other"})
    with pytest.raises(EventBoundsError, match=r"complaint\.case is not the case"):
        require_decidable(event, b"")


def test_nul_is_a_dead_letter_and_a_text_that_shows_its_escape_is_none() -> None:
    with pytest.raises(EventBoundsError, match="NUL"):
        require_decidable(event := registration(object="a\x00b"), encode_event(event))
    event = registration(text="the escape \\u0000 in JSON")
    require_decidable(event, encode_event(event))


def test_dead_letter_names_field_rule_and_remedy() -> None:
    record = received_record(CASE_EVENTS, Amended(case="c1", at=START, facts={"whim": NESTED}), "sla")
    with pytest.raises(Rejected, match="facts: nested deeper than 32 levels; send fewer"):
        verify_record(record)


@pytest.mark.parametrize("persons", [0, 2**63 - 1])
def test_rule_that_cannot_be_evaluated_on_a_complaint_does_not_apply(rules: MakeRules, context: TriageContext, persons: int) -> None:
    state = TriageState()
    fragile = rules(**FRAGILE)
    classified, routed = state.add_case(registration(facts={"persons": persons}), fragile, context)
    assert (state.cases["c1"].effective.class_, routed.type) == ("light", "route_proposed")
    failed = orjson.loads(encode_event(classified))["evidence"]
    assert "«complaint.against[0]» cannot be evaluated on this complaint: it did not apply" in failed


@pytest.mark.parametrize("received_at", [0, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "20261109", []])
def test_amended_instant_beyond_the_bound_is_left_out(rules: MakeRules, context: TriageContext, received_at: Any) -> None:
    state = TriageState()
    state.add_case(registration(), rules(), context)
    state.apply_event(Amended(case="c1", at=START, fields={"received_at": received_at, "object": "lift"}), context)
    assert (state.cases["c1"].complaint.received_at, state.cases["c1"].complaint.object) == (START, "lift")


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**25), 10**25) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
_facts = st.dictionaries(st.sampled_from(["persons", "policy", "media", "special_limit", "whim"]), _json, max_size=4)
_FIELD_NAMES = ("received_at", "kind", "object", "against", "text", "case", "facts", "channel")
_fields = st.dictionaries(st.sampled_from(_FIELD_NAMES), _json, max_size=4)
_instants = st.datetimes(timezones=st.just(UTC))


@st.composite
def hostile_events(draw: st.DrawFn) -> list[Registered | Amended]:
    values = {
        "facts": draw(_facts),
        "received_at": draw(_instants | st.just(START)),
        "object": draw(st.none() | st.text(max_size=5)),
        "against": draw(st.lists(st.text(max_size=5), max_size=3)),
        "complainant": {"id": draw(st.none() | st.text(max_size=5))},
    }
    amended = st.builds(Amended, case=st.just("c1"), at=_instants | st.just(START), facts=_facts, fields=_fields)
    return [registration(**values), *draw(st.lists(amended, max_size=4))]


@pytest.fixture(scope="module")
def fragile_rules() -> TriageRules:
    organisation = Organisation.model_validate({"id": "o", "departments": [{"id": d} for d in ("engineering", "finance", "unassigned")]})
    return compile_rules(bind_parameters(Procedure.model_validate(PROCEDURE | FRAGILE)), organisation)


@given(events=hostile_events())
@settings(max_examples=300, deadline=None)
def test_every_event_within_the_bounds_is_decided_and_can_be_stored(
    fragile_rules: TriageRules, context_at: Callable[[datetime], TriageContext], events: list[Registered | Amended]
) -> None:
    state = TriageState()
    for event in events:
        try:
            body = encode_event(event)
            decoded = decode_event(event.type, body)
            require_decidable(decoded, body)
        except ValueError:
            continue
        context = context_at(decoded.at)
        published = (
            state.add_case(decoded, fragile_rules, context) if isinstance(decoded, Registered) else state.apply_event(decoded, context)
        )
        for result in published:
            require_decidable(decode_event(result.type, encode_event(result)), encode_event(result))
        for triage_case in state.cases.values():
            row = row_from_case(triage_case, 1)
            assert not [value for value in row if isinstance(value, str) and "\x00" in value]
