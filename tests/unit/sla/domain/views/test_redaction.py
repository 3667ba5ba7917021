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
    ("sees", "expected"),
    [([], ("text", "complaint.complainant.name")), (["text"], ("complaint.complainant.name",))],
)
def test_department_does_not_receive_confidential_fields_unless_it_may_see_them(sees: list[str], expected: tuple[str, ...]) -> None:
    department = Department.model_validate({"id": "repairs", "sees": sees})
    assert hidden_fields(CONFIDENTIAL, department) == expected
