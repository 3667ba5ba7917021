"""Departments receive events without contact data and without the procedure's confidential fields."""

import pytest

from services.sla.domain.views.redaction import hidden_fields, redact
from shared.procedures.organisation import Department
from tests.unit.sla.timeline import small_procedure

EVENT = {
    "type": "routed",
    "text": "t",
    "contact": "sealed",
    "complaint": {"text": "t", "complainant": {"name": "王**", "kind": "customer"}},
}
CONFIDENTIAL = small_procedure('confidentiality: [{clause: "1", hidden: [text, complaint.complainant.name]}]')


@pytest.mark.parametrize(
    ("hidden", "expected"),
    [
        ((), {"type": "routed", "text": "t", "complaint": EVENT["complaint"]}),
        (("text",), {"type": "routed", "complaint": {"complainant": {"name": "王**", "kind": "customer"}}}),
        (("complainant.name",), {"type": "routed", "text": "t", "complaint": {"text": "t", "complainant": {"kind": "customer"}}}),
    ],
)
def test_hidden_fields_are_removed_from_the_event_and_its_complaint(hidden: tuple[str, ...], expected: dict[str, object]) -> None:
    assert redact(EVENT, hidden) == expected


def test_redaction_leaves_the_event_itself_unchanged() -> None:
    redact(EVENT, ("complainant.name",))
    assert EVENT["complaint"] == {"text": "t", "complainant": {"name": "王**", "kind": "customer"}}


@pytest.mark.parametrize(
    ("hidden", "kept"),
    [
        ((), {"matter", "title", "text", "answer", "household", "due_at", "items"}),
        (("text",), {"title", "household", "due_at", "items"}),
        (("complaint.title",), {"title", "text", "answer", "household", "due_at", "items"}),
        (("complainant.household", "household"), {"matter", "title", "text", "answer", "due_at", "items"}),
    ],
)
def test_values_of_a_message_do_not_repeat_a_hidden_field(hidden: tuple[str, ...], kept: set[str]) -> None:
    values = {"matter": "m", "title": "of the entry", "text": "t", "answer": "a", "household": "h", "due_at": "d"}
    event = {"type": "notification_requested", "values": {**values, "items": [{**values, "number": "1"}]}}
    shown = redact(event, hidden)["values"]
    assert set(shown) == kept
    assert set(shown["items"][0]) == kept - {"items"} | {"number"}


@pytest.mark.parametrize(
    ("sees", "expected"),
    [([], ("text", "complaint.complainant.name")), (["text"], ("complaint.complainant.name",))],
)
def test_department_does_not_receive_confidential_fields_unless_it_may_see_them(sees: list[str], expected: tuple[str, ...]) -> None:
    department = Department.model_validate({"id": "repairs", "sees": sees})
    assert hidden_fields(CONFIDENTIAL, department) == expected
