"""Any accepted data of a finding reaches the topic, the ledger and its replay as it was sent; wrong data are refused by field."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.sla.domain.deadlines.worktime import from_micros, to_micros
from services.sla.domain.evidence.recorded_events import reconstruct_input, to_recorded_events
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.decide import decide
from services.sla.domain.lifecycle.inputs import TakeAction
from services.sla.domain.views.event_mapping import to_contract_event, to_take_action
from shared.contracts import decode_body
from shared.contracts.actions import ACTION_DEFINITIONS, Action, ActionData
from shared.contracts.events import decode_event, encode_event
from tests.unit.sla.timeline import small_opening, small_procedure, small_rulebook

PROCEDURE = "clocks: []\n"
RULEBOOK, LOADED = small_rulebook(PROCEDURE), small_procedure(PROCEDURE)
NOW = to_micros(datetime(2026, 11, 10, 12, tzinfo=UTC))
NAMES = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=60).filter(str.strip)
PEOPLE = st.lists(NAMES, min_size=1, max_size=50)
AMOUNTS = st.integers(1, 100_000_000_000).map(lambda cents: cents / 100)
RECEIVED, LATEST = datetime(2026, 11, 9, 1), datetime(2026, 11, 10)  # noqa: DTZ001 - Hypothesis takes naive bounds
PAST: st.SearchStrategy[str] = st.datetimes(RECEIVED, LATEST, timezones=st.just(UTC)).map(datetime.isoformat)
TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), min_size=1, max_size=200).filter(str.strip)


def kinds(field: str) -> st.SearchStrategy[str]:
    schema = ActionData.model_json_schema()["properties"][field]
    return st.sampled_from([value for value in schema["enum"] if value])


def data_of(required: dict[str, Any], **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    further = {**optional, "text": TEXT, "attachments": st.lists(NAMES, min_size=1, max_size=5)}
    return st.fixed_dictionaries(required, optional={name: drawn for name, drawn in further.items() if name not in required})


FINDINGS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "record_cause": data_of({"cause": NAMES}),
    "record_liability": data_of({"persons": PEOPLE}, units=PEOPLE),
    "record_sanction": data_of({"sanction": st.sampled_from(["fine", "other"]), "units": PEOPLE, "amount": AMOUNTS}, persons=PEOPLE),
    "propose_compensation": data_of({"compensation": kinds("compensation"), "amount": AMOUNTS}, household=NAMES),
    "record_agreement": data_of({"household": NAMES, "agreed": st.booleans()}),
    "report_concealment": data_of({"concealment": kinds("concealment"), "persons": PEOPLE, "text": TEXT}, units=PEOPLE),
    "draft_notice": data_of({"text": TEXT}, notice=NAMES),
    "publish_notice": data_of({"place": NAMES}, notice=NAMES),
    "record_call": data_of({"result": kinds("result"), "person": NAMES}, caller=NAMES, happened_at=PAST),
    "record_meeting": data_of({"persons": PEOPLE}, units=PEOPLE, absentees=PEOPLE, place=NAMES, happened_at=PAST),
}


def opened_case() -> Case:
    return decide(None, small_opening(), RULEBOOK, NOW).case


@pytest.mark.parametrize("action", sorted(FINDINGS))
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_accepted_data_reach_topic_ledger_and_replay_unchanged(action: str, data: st.DataObject) -> None:
    sent: dict[str, Any] = data.draw(FINDINGS[action])
    request = decode_body("action", Action(case="case", action=action, role="officer", data=ActionData(**sent)).model_dump_json().encode())
    assert isinstance(request, Action)
    case_input = to_take_action(action, NOW, ("officer", "li"), ActionData(**sent), LOADED)
    decision = decide(opened_case(), case_input, RULEBOOK, NOW)
    event = decision.events[0]
    assert event.type == ACTION_DEFINITIONS[action].event_id
    contract = to_contract_event(event, decision.case, LOADED, RULEBOOK.worktime, from_micros(NOW))
    published = decode_event(event.type, encode_event(contract))
    for name, value in sent.items():
        shown = getattr(published, name)
        assert (to_micros(shown) == to_micros(datetime.fromisoformat(value))) if name == "happened_at" else (shown == value), name
    ledger = to_recorded_events(case_input, decision.events, decision.case, RULEBOOK, from_micros(NOW))
    replayed = reconstruct_input(ledger, LOADED)
    assert isinstance(replayed, TakeAction)
    assert decide(opened_case(), replayed, RULEBOOK, NOW) == decision
    assert Case.from_dict(orjson.loads(orjson.dumps(decision.case))) == decision.case


AMOUNTS_REFUSED: tuple[Any, ...] = (-0.01, 1e9 + 1, 0.001, True, "12", float("nan"), float("inf"), [])
WRONG_VALUES: list[tuple[str, Any]] = [
    *(("amount", value) for value in AMOUNTS_REFUSED),
    *[(field, "nonsense") for field in ("sanction", "compensation", "concealment", "result")],
    ("cause", "x" * 101),
    ("cause", "two\nlines"),
    ("persons", ["x"] * 51),
    ("persons", ["x" * 501]),
    ("persons", ["\x00"]),
    ("units", "one"),
    ("absentees", [{"name": "x"}]),
    ("household", "x" * 501),
    *((field, value) for field in ("agreed", "confirm") for value in ("no", "true", 1)),
    ("happened_at", "2026-11-09"),
    ("happened_at", 5),
]


@pytest.mark.parametrize(("field", "value"), WRONG_VALUES)
def test_wrong_data_are_refused_with_field_and_rule_but_without_the_value(field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        ActionData.model_validate({field: value})
    (problem, *_) = caught.value.errors(include_url=False)
    assert problem["loc"][0] == field
    assert problem["msg"]
    assert str(value) not in problem["msg"] or value in (True, [])


@pytest.mark.parametrize("action", ["decide_compensation", "decide_notice"])
@pytest.mark.parametrize("passed", ["yes", "false", 0, None])
def test_a_decision_takes_true_or_false_only(action: str, passed: Any) -> None:
    with pytest.raises(ValidationError, match="passed: send true or false"):
        Action.model_validate({"case": "case", "action": action, "data": {"passed": passed}})
    if passed is not None:
        assert Action.model_validate({"case": "case", "action": "review", "data": {"passed": passed}}).data.passed is (passed == "yes")


@pytest.mark.parametrize("passed", [True, False])
@pytest.mark.parametrize(
    ("before", "action"),
    [
        (("propose_compensation", {"compensation": "cash", "amount": 9}), "decide_compensation"),
        (("draft_notice", {"text": "x"}), "decide_notice"),
    ],
)
def test_a_decision_is_the_same_when_it_is_replayed(before: tuple[str, dict[str, Any]], action: str, *, passed: bool) -> None:
    case = decide(opened_case(), TakeAction(before[0], NOW, "officer", "li", before[1]), RULEBOOK, NOW).case
    case_input = TakeAction(action, NOW, "boss", "wu", {"passed": passed})
    decision = decide(case, case_input, RULEBOOK, NOW)
    replayed = reconstruct_input(to_recorded_events(case_input, decision.events, decision.case, RULEBOOK, from_micros(NOW)), LOADED)
    assert decision.events[0].type != "action_refused"
    assert decide(case, replayed, RULEBOOK, NOW) == decision
