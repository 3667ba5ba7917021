"""Decisions on one complaint, with clauses and evidence."""

from typing import Any

import pytest

from services.triage.domain.assess import assess
from services.triage.domain.rule_scope import TriageContext
from shared.contracts.complaint import supplemented_text
from shared.contracts.events.triage import Routed, RouteProposed
from shared.procedures.organisation import Organisation
from tests.unit.triage.conftest import PROCEDURE, MakeComplaint, MakeRules


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
def test_first_matching_class_wins(
    rules: MakeRules,
    complaint: MakeComplaint,
    context: TriageContext,
    fields: Any,
    class_: str,
    rule: str,
    clauses: Any,
) -> None:
    event = assess(complaint(**fields), rules(), context).classified_event(None, context)
    assert (event.class_, event.rule, (event.clause, event.clauses)) == (class_, rule, clauses)
    assert (event.procedure, event.version, event.by) == ("shop", 2, "triage")


def test_derived_facts_do_not_replace_submitted_facts(rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> None:
    decision = assess(complaint(text="业主聚集，有人受伤", facts={"persons": 2}), rules(), context)
    assert decision.derived_facts == {"injury": True, "media": True}
    assert decision.facts["persons"] == 2
    assert "derived injury from complaint.text" in decision.evidence


def test_evidence_contains_no_complaint_text(rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> None:
    decision = assess(complaint(text="王先生 13800000000 受伤"), rules(), context)
    assert decision.evidence
    assert not any("王先生" in line or "1380" in line for line in decision.evidence)


def test_fact_of_wrong_type_is_ignored_and_reported(rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> None:
    decision = assess(complaint(facts={"persons": "viele", "media": "nein", "injury": "true"}), rules(), context)
    assert decision.rule == "injury"
    assert decision.facts["persons"] == 1
    assert "facts.persons is not of its type and was left out" in decision.evidence


def test_kind_of_submission_outranks_kind_of_rules(rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> None:
    def kind(**fields: Any) -> str:
        return assess(complaint(**fields), rules(), context).kind

    assert [kind(), kind(text="建议装灯"), kind(text="建议装灯", kind="risk")] == ["complaint", "demand", "risk"]


@pytest.mark.parametrize(
    ("fields", "department", "proposed"),
    [
        ({"text": "电梯坏了"}, "engineering", False),
        ({"text": "物业费太高"}, "finance", False),
        ({"text": "吵"}, "unassigned", True),
    ],
)
def test_department_comes_from_routes_then_subject_then_catch_all(
    rules: MakeRules,
    complaint: MakeComplaint,
    context: TriageContext,
    fields: Any,
    department: str,
    proposed: bool,
) -> None:
    event = assess(complaint(**fields), rules(), context).routed_event(context)
    assert (event.department, isinstance(event, RouteProposed)) == (department, proposed)


def test_routed_event_carries_cooperating_departments_and_clause(
    rules: MakeRules, complaint: MakeComplaint, context: TriageContext
) -> None:
    event = assess(complaint(text="乱收费"), rules(), context).routed_event(context)
    assert isinstance(event, Routed)
    assert (event.cooperating, event.rule, event.clause) == (["service"], "to_finance", "8")


def test_source_route_outranks_organisation_route_outranks_procedure_route(
    rules: MakeRules, complaint: MakeComplaint, organisation: Organisation, context: TriageContext
) -> None:
    departments = [d.model_dump() for d in organisation.departments]
    routing = [{"when": "facts.only_elsewhere", "department": "finance"}, {"when": "case.kind == 'complaint'", "department": "service"}]
    with_routing = Organisation.model_validate({"id": "o", "departments": departments, "routing": routing})
    with_source = Organisation.model_validate(
        {
            "id": "o",
            "departments": departments,
            "routing": routing,
            "sources": [{"id": "web", "procedure": "shop", "department": "finance"}],
        }
    )
    chosen = [
        assess(complaint(text="电梯"), rules(other_organisation=o), context).route.department for o in (None, with_routing, with_source)
    ]
    assert chosen == ["engineering", "service", "finance"]


def test_without_auto_route_the_route_is_proposed(rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> None:
    event = assess(complaint(text="电梯"), rules(auto_route=False), context).routed_event(context)
    assert (event.type, event.department) == ("route_proposed", "engineering")


def test_unknown_department_becomes_catch_all_proposal(rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> None:
    event = assess(complaint(), rules(routes=[{"department": "moon"}]), context).routed_event(context)
    assert (event.type, event.department) == ("route_proposed", "unassigned")
    assert "moon" in event.reason


def test_evidence_names_a_condition_that_cannot_be_evaluated(rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> None:
    decision = assess(complaint(), rules(classes=[{"id": "x", "when": "facts.persons"}]), context)
    assert (decision.class_choice.id, decision.failed_conditions) == ("", ("facts.persons",))
    assert decision.evidence == ("«facts.persons» cannot be evaluated on this complaint: it did not apply",)


def test_every_readable_name_has_a_value(rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> None:
    when = (
        "complaint.complainant.name == '' && case.received_day == '2026-09-24' && count.reopened == 0 && last.called_back.outcome == '' "
        "&& complaint.against.size() == 0 && complaint.happened_at < complaint.received_at && event.role == '' "
        "&& facts.special_limit == timestamp('1970-01-01T00:00:00Z') && complaint.received_at.getHours() == 16"
    )
    decision = assess(complaint(), rules(classes=[{"id": "x", "when": when}]), context)
    assert decision.class_choice.id == "x"


LIFT = {"lift": {"words": ["电梯停运"]}}
BY_LIFT = [{"id": "hurt", "set": {"injury": True}, "when": "says.lift"}]


def test_fact_from_words_has_the_words_as_evidence(rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> None:
    decision = assess(complaint(text="3號樓電梯\n停運，老人下不了樓"), rules(patterns=LIFT, derived=BY_LIFT), context)
    assert decision.derived_facts == {"injury": True}
    assert "derived injury from says.lift: «电梯停运»" in decision.evidence


@pytest.mark.parametrize("text", ["电梯没有停运", "听说隔壁小区电梯停运", "电梯停运，已修好", "<p>没有</p>电梯停运"])
def test_denied_words_set_no_fact(rules: MakeRules, complaint: MakeComplaint, context: TriageContext, text: str) -> None:
    decision = assess(complaint(text=text), rules(patterns=LIFT, derived=BY_LIFT), context)
    assert decision.derived_facts == {}
    assert decision.class_choice.id == "light"


def test_patterns_serve_classes_and_routes_of_procedure_and_organisation(
    rules: MakeRules, complaint: MakeComplaint, context: TriageContext
) -> None:
    own = Organisation.model_validate(
        {
            "id": "o",
            "departments": [{"id": "order"}, {"id": "unassigned"}],
            "patterns": {"noise": {"words": ["噪音"]}},
            "routing": [{"when": "says.noise && !says.lift", "department": "order"}],
        }
    )
    compiled = rules(other_organisation=own, patterns=LIFT, classes=[{"id": "grave", "when": "says.lift || facts.media"}, {"id": "light"}])
    assert assess(complaint(text="噪音大"), compiled, context).route.department == "order"
    assert assess(complaint(text="没有噪音"), compiled, context).route.department != "order"
    assert assess(complaint(title="电梯停运"), compiled, context).class_choice.id == "grave"


def test_route_of_the_organisation_on_a_pattern_of_another_procedure_does_not_apply(
    rules: MakeRules, complaint: MakeComplaint, context: TriageContext
) -> None:
    own = Organisation.model_validate(
        {"id": "o", "departments": [{"id": "order"}], "routing": [{"when": "!says.lift", "department": "order"}]}
    )
    decision = assess(complaint(text="噪音大"), rules(other_organisation=own), context)
    assert decision.route.department != "order"
    assert decision.failed_conditions == ()


@pytest.mark.parametrize("source", ["complainant", "fact", "derived fact"])
def test_identity_is_searched_at_the_complainant_and_in_the_fact(
    rules: MakeRules, complaint: MakeComplaint, context: TriageContext, source: str
) -> None:
    facts = {**PROCEDURE["facts"], "identity": {"type": "text"}}
    derived = [{"id": "i", "set": {"identity": "律师"}, "when": "!says.lawyer"}] if source == "derived fact" else []
    patterns = {"lawyer": {"words": ["律师"], "fields": ["identity"]}}
    compiled = rules(facts=facts, derived=derived, patterns=patterns, classes=[{"id": "grave", "when": "says.lawyer"}, {"id": "light"}])
    fields: dict[str, Any] = {"facts": {"identity": "律師"}} if source == "fact" else {}
    if source == "complainant":
        fields = {"complainant": {"kind": "customer", "identity": "律師"}}
    assert assess(complaint(**fields), compiled, context).class_choice.id == "grave"


def test_supplement_is_a_sentence_of_its_own(rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> None:
    compiled = rules(patterns=LIFT, derived=BY_LIFT)
    text = supplemented_text("没有漏水", "电梯停运")
    assert assess(complaint(text=text), compiled, context).derived_facts == {"injury": True}
