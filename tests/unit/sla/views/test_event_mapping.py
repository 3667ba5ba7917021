"""Contract models become inputs with the fields that differ from their defaults, with instants in microseconds."""

from datetime import datetime
from typing import Any

import pytest

from cli.commands.development import schemas
from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.views import event_mapping
from shared.contracts.complaint import Complaint
from shared.contracts.events import EVENT_CLASSES, CaseEvent
from shared.contracts.events.triage import Registered
from tests.unit.sla.timeline import small_rulebook

AT = "2026-09-24T16:40:00+08:00"
ENVELOPE = {"case": "c", "at": AT}
RULEBOOK = small_rulebook("facts: {persons: {type: int}, since: {type: instant}}")
PROCEDURE = RULEBOOK.procedure


def example(event_type: str) -> CaseEvent:
    return EVENT_CLASSES[event_type].model_validate_json((schemas.EXAMPLES / f"{event_type}.json").read_bytes())


def complaint(**fields: Any) -> Complaint:
    required = {"case": "c", "number": "1", "source": "s", "received_at": AT, "registered_at": AT, "channel": "hotline", "text": "t"}
    return Complaint.model_validate({**required, **fields})


@pytest.mark.parametrize("event_type", sorted(set(EVENT_CLASSES) - {"registered"}))
def test_event_with_default_values_has_no_fields(event_type: str) -> None:
    event = EVENT_CLASSES[event_type].model_validate(ENVELOPE)
    with_all_fields = EVENT_CLASSES[event_type].model_validate_json(event.model_dump_json(by_alias=True))
    assert event_mapping.untyped_event_fields(event) == event_mapping.untyped_event_fields(with_all_fields) == {}


@pytest.mark.parametrize("event_type", sorted(EVENT_CLASSES))
def test_fields_of_an_event_published_again_give_the_same_contract_event(event_type: str) -> None:
    event = example(event_type)
    fields = event_mapping.untyped_event_fields(event)
    assert not any(isinstance(value, datetime) for value in fields.values())
    if isinstance(event, Registered):
        fields["complaint"] = event_mapping.complaint_to_json(event.complaint)
    case = Case(event.case, "small", 1, "", 0, 0, {})
    worktime = RULEBOOK.worktime_for("")
    published = event_mapping.to_contract_event(
        Event(event.type, to_micros(event.at), event.sequence or 0, fields), case, PROCEDURE, worktime, event.recorded_at or event.at
    )
    ignored = {"procedure", "version", "recorded_at", "sequence", "registered"}
    assert published.model_dump(exclude=ignored) == event.model_dump(exclude=ignored)


def test_facts_get_their_declared_types_and_values_that_do_not_fit_are_left_out() -> None:
    values = {"persons": "2", "since": AT, "undeclared": "x"}
    assert event_mapping.typed_facts(values, PROCEDURE) == {
        "persons": 2,
        "since": to_micros(datetime.fromisoformat(AT)),
        "undeclared": "x",
    }
    assert event_mapping.typed_facts({"persons": "many", "since": "soon"}, PROCEDURE) == {}


def test_stored_complaint_has_only_known_data_of_the_complainant() -> None:
    stored = event_mapping.stored_complaint(complaint(complainant={"name": "王**"}))
    assert stored["complainant"] == {"kind": "customer", "anonymous": False, "name": "王**", "has": []}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {}),
        ({"complainant": {"kind": "customer", "anonymous": False, "has": []}}, {}),
        (
            {"complainant": {"name": "王**", "has": ["name"]}, "against": [], "contact": "k1.c2VhbGVk"},
            {"complainant": {"name": "王**", "has": ["name"]}, "contact": "k1.c2VhbGVk"},
        ),
        (
            {"happened_at": "2026-09-24T08:00:00.123456Z", "facts": {"urgent": False, "persons": 2}, "kind": "demand"},
            {"happened_at": "2026-09-24T08:00:00.123456Z", "facts": {"urgent": False, "persons": 2}, "kind": "demand"},
        ),
    ],
)
def test_complaint_as_json_has_the_fields_that_differ_from_their_defaults(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    required = {"case": "c", "number": "1", "source": "s", "channel": "hotline", "text": "t"}
    as_json = event_mapping.complaint_to_json(complaint(**fields))
    assert {name: value for name, value in as_json.items() if name not in ("received_at", "registered_at")} == {**required, **expected}
