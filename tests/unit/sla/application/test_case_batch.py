"""The work of one transaction on cases, before it is written."""

from datetime import UTC, datetime
from typing import Any

from services.sla.application.case_batch import CaseBatch
from services.sla.application.errors import MAX_EVENT_BYTES
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.lifecycle.inputs import TakeAction
from services.sla.domain.views import event_mapping
from services.sla.storage.cases import StoredCase
from shared.procedures.organisation import Organisation
from shared.runtime.outbox.outbox import MAX_BODY_BYTES
from tests.integration.sla.sla_harness import first_decision

NOW = datetime(2026, 9, 24, 2, tzinfo=UTC)


def open_batch() -> CaseBatch:
    """A batch with one open case `c1`."""

    def resolve_pending(*_: Any) -> TakeAction:
        raise AssertionError("no action is pending")

    rulebooks = RulebookRegistry(Organisation.model_validate({"id": "estate", "people": [{"id": "li", "roles": ["assistant"]}]}))
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


def test_an_event_of_just_the_bound_is_accepted() -> None:
    batch = open_batch()
    assert "first_answered" in [event.type for event in answer(batch, "x" * (MAX_EVENT_BYTES - 2_000))]
