"""Routes by region and by the age of the warranty: what an organisation writes for its own districts and contractors."""

from typing import Any

import pytest

from services.triage.domain.assess import assess
from services.triage.domain.rule_scope import TriageContext
from shared.procedures.organisation import Organisation
from tests.unit.triage.conftest import PROCEDURE, MakeComplaint, MakeRules

FACTS = {**PROCEDURE["facts"], "handover_at": {"type": "date"}, "warranty_months": {"type": "int", "default": 24}}
UNDER_WARRANTY = "facts.handover_at != '' && case.received_day < months_after(facts.handover_at, facts.warranty_months)"
ORGANISATION = Organisation.model_validate(
    {
        "id": "o",
        "departments": [{"id": d} for d in ("west", "east", "builder", "west_builder", "engineering", "finance", "service", "unassigned")],
        "routing": [
            {"when": f"complaint.place.matches('河西|Hexi') && {UNDER_WARRANTY}", "department": "west_builder"},
            {"when": UNDER_WARRANTY, "department": "builder"},
            {"when": "complaint.place.matches('河西|Hexi')", "department": "west"},
            {"when": "complaint.place.matches('^城东')", "department": "east"},
        ],
    }
)


@pytest.mark.parametrize(
    ("fields", "department", "proposed"),
    [
        ({"place": "河西区云杉苑"}, "west", False),
        ({"place": "12 Hexi Road"}, "west", False),
        ({"place": "城东云杉苑"}, "east", False),
        ({"place": "近城东的云杉苑"}, "unassigned", True),
        ({"place": "城北云杉苑"}, "unassigned", True),
        ({}, "unassigned", True),
        ({"text": "河西区太吵"}, "unassigned", True),
    ],
    ids=["region", "region-in-english", "begins-with", "only-mentioned", "another-region", "no-place", "text-is-no-place"],
)
def test_region_chooses_the_department(
    rules: MakeRules, complaint: MakeComplaint, context: TriageContext, fields: dict[str, Any], department: str, proposed: bool
) -> None:
    route = assess(complaint(**({"text": "吵"} | fields)), rules(other_organisation=ORGANISATION, facts=FACTS), context).route
    assert (route.department, route.proposed) == (department, proposed)


@pytest.mark.parametrize(
    ("facts", "department"),
    [
        ({"handover_at": "2024-09-25"}, "builder"),
        ({"handover_at": "2024-09-24"}, "unassigned"),
        ({"handover_at": "2021-09-25", "warranty_months": 60}, "builder"),
        ({"handover_at": "2026-03-31", "warranty_months": 6}, "builder"),
        ({"handover_at": "2026-02-28", "warranty_months": 6}, "unassigned"),
        ({"warranty_months": 60}, "unassigned"),
        ({"handover_at": "not a date"}, "unassigned"),
    ],
    ids=["last-day", "day-after", "longer-warranty", "end-of-a-shorter-month", "past", "no-handover", "unreadable"],
)
def test_age_of_the_warranty_chooses_the_department(
    rules: MakeRules, complaint: MakeComplaint, context: TriageContext, facts: dict[str, Any], department: str
) -> None:
    """The complaint is of 2026-09-24."""
    decision = assess(complaint(text="吵", facts=facts), rules(other_organisation=ORGANISATION, facts=FACTS), context)
    assert decision.route.department == department


def test_region_and_warranty_together_outrank_each_alone(rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> None:
    both = complaint(text="吵", place="河西区", facts={"handover_at": "2025-01-01"})
    assert assess(both, rules(other_organisation=ORGANISATION, facts=FACTS), context).route.department == "west_builder"


def test_warranty_route_does_not_apply_in_a_procedure_without_such_facts(
    rules: MakeRules, complaint: MakeComplaint, context: TriageContext
) -> None:
    route = assess(complaint(text="吵", place="河西区"), rules(other_organisation=ORGANISATION), context).route
    assert (route.department, route.rule) == ("west", "routing 3")
