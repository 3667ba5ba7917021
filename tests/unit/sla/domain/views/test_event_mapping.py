"""The mapping of an event or complaint for conditions equals its model dump without defaults."""

from datetime import datetime
from typing import Any

import pytest

from cli.commands.development import schemas
from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.views import event_mapping
from shared.contracts.complaint import Complaint
from shared.contracts.events import EVENT_CLASSES, CaseEvent
from shared.contracts.events.triage import Registered

APART = {"case", "at", "recorded_at", "sequence", "procedure", "version", "complaint", "registered"}
REQUIRED = {"case": "c", "at": "2026-09-24T16:40:00+08:00"}


def example(name: str) -> CaseEvent:
    return EVENT_CLASSES[name].model_validate_json((schemas.EXAMPLES / f"{name}.json").read_bytes())


def dumped(event: CaseEvent) -> dict[str, Any]:
    dumped = event.model_dump(by_alias=True, exclude_defaults=True, exclude_none=True, exclude=APART)
    return {name: to_micros(value) if isinstance(value, datetime) else value for name, value in dumped.items()}


@pytest.mark.parametrize("name", sorted(EVENT_CLASSES))
def test_mapping_of_an_event_with_every_field_equals_its_model_dump(name: str) -> None:
    event = example(name)
    assert list(event_mapping.untyped_event_fields(event).items()) == list(dumped(event).items())


@pytest.mark.parametrize("name", sorted(set(EVENT_CLASSES) - {"registered"}))
def test_mapping_of_an_event_omits_defaults(name: str) -> None:
    event = EVENT_CLASSES[name].model_validate(REQUIRED)
    spelt_out = EVENT_CLASSES[name].model_validate_json(event.model_dump_json(by_alias=True))
    assert event_mapping.untyped_event_fields(event) == event_mapping.untyped_event_fields(spelt_out) == dumped(spelt_out) == {}


def complaint(**rest: Any) -> Complaint:
    required = {"case": "c", "number": "1", "source": "s", "received_at": REQUIRED["at"], "registered_at": REQUIRED["at"]}
    return Complaint.model_validate({**required, "channel": "hotline", "text": "t", **rest})


def test_mapping_of_a_complainant_omits_unknown_fields() -> None:
    found = event_mapping.stored_complaint(complaint(complainant={"name": "王**"}))
    assert found["complainant"] == {"kind": "customer", "anonymous": False, "name": "王**", "has": []}


@pytest.mark.parametrize(
    "rest",
    [
        {},
        {"complainant": {"kind": "customer", "anonymous": False, "has": []}},
        {"complainant": {"name": "王**", "has": ["name"]}, "against": [], "contact": "k1.c2VhbGVk"},
        {"happened_at": "2026-09-24T08:00:00.123456Z", "facts": {"urgent": False, "persons": 2, "share": 0.5}, "kind": "demand"},
        {"facts": {"since": datetime.fromisoformat("2026-09-24T08:00:00+08:00"), "nested": {"none": None, "list": [1]}}},
    ],
)
def test_mapping_of_a_complaint_equals_its_model_dump(rest: dict[str, Any]) -> None:
    sample = complaint(**rest)
    assert event_mapping.complaint_to_json(sample) == sample.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude_defaults=True
    )


def test_mapping_of_a_complaint_with_every_field_equals_its_model_dump() -> None:
    registered = example("registered")
    assert isinstance(registered, Registered)
    sample = registered.complaint
    assert event_mapping.complaint_to_json(sample) == sample.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude_defaults=True
    )
