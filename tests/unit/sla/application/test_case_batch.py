"""The work of one transaction on cases, before it is written."""

from datetime import UTC, datetime
from typing import Any

import orjson

from services.sla.application.case_batch import CaseBatch
from services.sla.application.errors import MAX_EVENT_BYTES
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.lifecycle.inputs import TakeAction
from services.sla.domain.views import event_mapping
from services.sla.storage.cases import StoredCase
from services.sla.storage.deferred_inputs import DeferredInput
from shared.contracts.events.triage import Routed
from shared.procedures.organisation import Organisation
from shared.runtime.outbox.outbox import MAX_BODY_BYTES
from tests.integration.sla.sla_harness import first_decision

NOW = datetime(2026, 9, 24, 2, tzinfo=UTC)


def open_batch(**organisation: Any) -> CaseBatch:
    """A batch with one open case `c1`; `organisation` adds to the organisation file."""

    def resolve_pending(*_: Any) -> TakeAction:
        raise AssertionError("no action is pending")

    file = {"id": "estate", "people": [{"id": "li", "roles": ["assistant"]}], **organisation}
    rulebooks = RulebookRegistry(Organisation.model_validate(file))
    batch = CaseBatch(rulebooks, NOW, resolve_pending, {"c1": StoredCase()})
    batch.decide("c1", event_mapping.to_open_case(first_decision("c1", NOW), rulebooks.procedure("hunan-property", 1)))
    return batch


def answer(batch: CaseBatch, text: str) -> list[Event]:
    return batch.decide("c1", TakeAction("answer", to_micros(NOW), "assistant", "li", {"text": text}))


def case_of(batch: CaseBatch) -> Case:
    case = batch.case("c1")
    assert case is not None
    return case


def test_action_whose_event_no_message_can_carry_is_refused_and_leaves_the_case_open_to_others() -> None:
    batch = open_batch()
    sequence = case_of(batch).sequence
    [refused] = answer(batch, "x" * MAX_EVENT_BYTES)
    assert (refused.type, refused.sequence) == ("action_refused", sequence + 1)
    assert f"at most {MAX_EVENT_BYTES} bytes" in refused.data["reason"]
    assert "first_answered" in [event.type for event in answer(batch, "已派人")]
    sequences = [entry.entry.sequence for entry in batch.new_entries]
    assert sequences == list(range(1, len(sequences) + 1))
    assert all(len(message.body) <= MAX_EVENT_BYTES < MAX_BODY_BYTES for message in batch.messages)


def test_deferred_input_goes_on_with_the_trace_that_deferred_it() -> None:
    sampled, unsampled = (f"00-{'a' * 32}-{'b' * 16}-{flags}" for flags in ("01", "00"))
    batch = open_batch()
    action = TakeAction("answer", to_micros(NOW), "assistant", "li", {"text": "已派人"})
    for traceparent in (sampled, unsampled):
        batch.defer("c1", action, NOW, traceparent)
    stored = [orjson.loads(orjson.dumps(each.input)) for each in batch.newly_deferred]
    assert [each.get("traceparent") for each in stored] == [sampled, None], "only a sampled trace is kept with the input"
    batch.deferred["c1"] = [DeferredInput(1, "c1", NOW, stored[0])]
    before = len(batch.messages)
    batch.apply_deferred("c1")
    assert {message.traceparent for message in batch.messages[before:]} == {sampled}
    assert batch.traceparents["c1"] == sampled, "its timer is armed by it"


def test_an_event_of_just_the_bound_is_accepted() -> None:
    batch = open_batch()
    assert "first_answered" in [event.type for event in answer(batch, "x" * (MAX_EVENT_BYTES - 2_000))]


def test_department_reads_when_its_case_is_due_with_the_routing() -> None:
    batch = open_batch(departments=[{"id": "repairs"}, {"id": "gardens"}])
    started = [entry.fields for entry in batch.new_entries if entry.type == "clock_started"]
    sent_before = len(batch.messages)
    batch.decide("c1", TakeAction("route", to_micros(NOW), "assistant", "li", {"department": "repairs"}))
    batch.decide("c1", TakeAction("reassign", to_micros(NOW), "assistant", "li", {"department": "gardens"}))
    sent = {(message.topic, message.type): orjson.loads(message.body) for message in batch.messages[sent_before:]}
    routed, reassigned = sent["department-repairs", "routed"], sent["department-gardens", "reassigned"]
    clocks = {clock["clock"]: clock for clock in routed["clocks"]}
    assert {event["clock"] for event in started} <= set(clocks)
    for event in started:
        assert clocks[event["clock"]]["clause"] == event["clause"]
        assert datetime.fromisoformat(clocks[event["clock"]]["due_at"]) == event["due_at"]
    assert Routed.model_validate(routed).clocks[0].due_at is not None
    assert reassigned["clocks"]
    assert "clocks" not in sent["case-events", "routed"]
