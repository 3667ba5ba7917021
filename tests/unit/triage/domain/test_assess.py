"""What triage decides on one complaint, and why it says so."""

from typing import Any

import pytest

from services.triage.domain.assess import assess
from services.triage.domain.rule_scope import TriageContext
from shared.contracts.events.triage import Routed, RouteProposed
from shared.procedures.organisation import Organisation
from tests.unit.triage.conftest import MakeBound, MakeComplaint


@pytest.mark.parametrize(
    ("fields", "class_", "rule", "clauses"),
    [
        ({}, "light", "light", ("7.5", [])),
        ({"channel": "regulator"}, "middle", "middle", ("7.4", [])),
        ({"facts": {"persons": 5}}, "grave", "crowd", ("7.3", [])),
        ({"text": "小孩在电梯里受伤"}, "grave", "injury", ("7.1", ["7.1", "7.2"])),
        ({"text": "小孩受伤", "facts": {"injury": False}}, "light", "light", ("7.5", [])),
        ({"facts": {"injury": True, "media": True}}, "grave", "injury", ("7.1", ["7.1", "7.2"])),
    ],
)
def test_the_first_matching_class_wins(
    bound: MakeBound,
    complaint: MakeComplaint,
    organisation: Organisation,
    context: TriageContext,
    fields: Any,
    class_: str,
    rule: str,
    clauses: Any,
) -> None:
    event = assess(complaint(**fields), bound(), organisation, context).classified_event(None, context)
    assert (event.class_, event.rule, (event.clause, event.clauses)) == (class_, rule, clauses)
    assert (event.procedure, event.version, event.by) == ("shop", 2, "triage")


def test_derived_facts_are_told_and_given_ones_stay(
    bound: MakeBound, complaint: MakeComplaint, organisation: Organisation, context: TriageContext
) -> None:
    decision = assess(complaint(text="业主聚集，有人受伤", facts={"persons": 2}), bound(), organisation, context)
    assert decision.derived_facts == {"injury": True, "media": True}
    assert decision.facts["persons"] == 2
    assert "derived injury from complaint.text" in decision.evidence


def test_evidence_never_repeats_text(
    bound: MakeBound, complaint: MakeComplaint, organisation: Organisation, context: TriageContext
) -> None:
    decision = assess(complaint(text="王先生 13800000000 受伤"), bound(), organisation, context)
    assert decision.evidence
    assert not any("王先生" in line or "1380" in line for line in decision.evidence)


def test_a_fact_of_a_foreign_type_counts_as_not_given(
    bound: MakeBound, complaint: MakeComplaint, organisation: Organisation, context: TriageContext
) -> None:
    decision = assess(complaint(facts={"persons": "viele", "media": "nein", "injury": "true"}), bound(), organisation, context)
    assert decision.rule == "injury"
    assert decision.facts["persons"] == 1
    assert "facts.persons is not of its type and was left out" in decision.evidence


def test_kind_is_the_submissions_else_the_rules(
    bound: MakeBound, complaint: MakeComplaint, organisation: Organisation, context: TriageContext
) -> None:
    def kind(**fields: Any) -> str:
        return assess(complaint(**fields), bound(), organisation, context).kind

    assert [kind(), kind(text="建议装灯"), kind(text="建议装灯", kind="risk")] == ["complaint", "demand", "risk"]


@pytest.mark.parametrize(
    ("fields", "department", "proposed"),
    [
        ({"text": "电梯坏了"}, "engineering", False),
        ({"text": "物业费太高"}, "finance", False),
        ({"text": "吵"}, "unassigned", True),
    ],
)
def test_departments_come_from_procedure_and_subject(
    bound: MakeBound,
    complaint: MakeComplaint,
    organisation: Organisation,
    context: TriageContext,
    fields: Any,
    department: str,
    proposed: bool,
) -> None:
    event = assess(complaint(**fields), bound(), organisation, context).routed_event(context)
    assert (event.department, isinstance(event, RouteProposed)) == (department, proposed)


def test_cooperating_departments_and_clause_travel_along(
    bound: MakeBound, complaint: MakeComplaint, organisation: Organisation, context: TriageContext
) -> None:
    event = assess(complaint(text="乱收费"), bound(), organisation, context).routed_event(context)
    assert isinstance(event, Routed)
    assert (event.cooperating, event.rule, event.clause) == (["service"], "to_finance", "8")


def test_source_goes_before_organisation_goes_before_procedure(
    bound: MakeBound, complaint: MakeComplaint, organisation: Organisation, context: TriageContext
) -> None:
    departments = [d.model_dump() for d in organisation.departments]
    routing = [{"when": "facts.only_elsewhere", "department": "finance"}, {"when": "case.kind == 'complaint'", "department": "service"}]
    routed = Organisation.model_validate({"id": "o", "departments": departments, "routing": routing})
    sourced = Organisation.model_validate(
        {
            "id": "o",
            "departments": departments,
            "routing": routing,
            "sources": [{"id": "web", "procedure": "shop", "department": "finance"}],
        }
    )
    seen = [assess(complaint(text="电梯"), bound(), o, context).route.department for o in (organisation, routed, sourced)]
    assert seen == ["engineering", "service", "finance"]


def test_without_auto_route_triage_only_proposes(
    bound: MakeBound, complaint: MakeComplaint, organisation: Organisation, context: TriageContext
) -> None:
    event = assess(complaint(text="电梯"), bound(auto_route=False), organisation, context).routed_event(context)
    assert (event.type, event.department) == ("route_proposed", "engineering")


def test_a_department_that_does_not_exist_is_not_routed_to(
    bound: MakeBound, complaint: MakeComplaint, organisation: Organisation, context: TriageContext
) -> None:
    event = assess(complaint(), bound(routes=[{"department": "moon"}]), organisation, context).routed_event(context)
    assert (event.type, event.department) == ("route_proposed", "unassigned")
    assert "moon" in event.reason


def test_a_condition_that_cannot_be_evaluated_names_itself(
    bound: MakeBound, complaint: MakeComplaint, organisation: Organisation, context: TriageContext
) -> None:
    with pytest.raises(ValueError, match=r"facts\.persons"):
        assess(complaint(), bound(classes=[{"id": "x", "when": "facts.persons"}]), organisation, context)


def test_every_name_a_rule_may_read_has_a_value(
    bound: MakeBound, complaint: MakeComplaint, organisation: Organisation, context: TriageContext
) -> None:
    when = (
        "complaint.complainant.name == '' && case.received_day == '2026-09-24' && count.reopened == 0 && last.called_back.outcome == '' "
        "&& complaint.against.size() == 0 && complaint.happened_at < complaint.received_at && event.role == '' "
        "&& facts.special_limit == timestamp('1970-01-01T00:00:00Z') && complaint.received_at.getHours() == 16"
    )
    decision = assess(complaint(), bound(classes=[{"id": "x", "when": when}]), organisation, context)
    assert decision.class_choice.id == "x"
