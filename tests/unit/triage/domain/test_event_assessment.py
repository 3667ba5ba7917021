"""The decision and the count changes of single events."""

from typing import Any

from services.triage.domain.event_assessment import AssessedEvent, assess_event, assess_registration
from services.triage.domain.groups.counters import CounterKey
from services.triage.domain.groups.duplicates import DUPLICATES
from services.triage.domain.rule_scope import TriageContext
from services.triage.domain.triage_case import TriageCase
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.from_work_to_closing import Reopened, Withdrawn
from shared.contracts.events.triage import Reclassified, Registered
from shared.contracts.events.up_to_approval import Amended, Refused
from tests.unit.triage.conftest import START, MakeComplaint, MakeRules

POLICY = {"id": "policy", "key": "facts.policy", "threshold": 3, "window": "30m", "does": {}}
FAULT = {"id": "fault", "key": "facts.fault_kind", "threshold": 3, "does": {}}


def registration(rules: MakeRules, complaint: MakeComplaint, context: TriageContext, **facts: Any) -> AssessedEvent:
    submitted = complaint("a", facts=facts, contact="k1.sealed")
    return assess_registration(Registered(case="a", at=START, complaint=submitted), rules(counts=[POLICY, FAULT]), context)


def counters(assessed: AssessedEvent) -> list[tuple[str, str]]:
    """The keys that the case leaves and joins, entry by entry."""
    return [(c.leaves.counter.key if c.leaves else "", c.joins.counter.key if c.joins else "") for c in assessed.count_changes]


def after(triage_case: TriageCase, event: CaseEvent, context: TriageContext) -> TriageCase:
    return assess_event(event, triage_case, context).after


def test_registration_joins_the_counters_of_its_keys(rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> None:
    [change] = registration(rules, complaint, context, policy="5G").count_changes
    assert (change.case, change.leaves) == ("a", None)
    assert change.joins is not None
    assert (change.joins.counter, change.joins.received_at, change.joins.max_neighbours) == (CounterKey("shop", "policy", "5G"), START, 4)


def test_case_keeps_no_contact_data(rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> None:
    assessed = registration(rules, complaint, context)
    assert assessed.after.complaint.contact is None
    assert isinstance(assessed.event, Registered)
    assert assessed.event.complaint.contact == "k1.sealed"


def test_amendment_leaves_and_joins_counters_of_changed_keys_only(
    rules: MakeRules, complaint: MakeComplaint, context: TriageContext
) -> None:
    triage_case = registration(rules, complaint, context, policy="5G", fault_kind="f").after
    assessed = assess_event(Amended(case="a", at=START, facts={"policy": "4G"}), triage_case, context)
    assert counters(assessed) == [("5G", ""), ("", "4G")]
    assert assessed.decision is not None
    assert {name: keys for name, keys in assessed.after.count_keys.items() if name != DUPLICATES} == {"policy": ("4G",), "fault": ("f",)}


def test_amendment_without_effect_calls_for_no_decision(rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> None:
    triage_case = registration(rules, complaint, context, policy="5G").after
    assessed = assess_event(Amended(case="a", at=START, facts={"policy": "5G"}, fields={"number": "forged"}), triage_case, context)
    assert (assessed.decision, assessed.count_changes, assessed.after) == (None, (), triage_case)


def test_refused_case_leaves_its_counters(rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> None:
    triage_case = registration(rules, complaint, context, policy="5G", fault_kind="f").after
    assessed = assess_event(Refused(case="a", at=START), triage_case, context)
    assert counters(assessed) == [("5G", ""), ("f", "")]
    assert assessed.after.ended


def test_withdrawn_case_counts_where_the_entry_says_so(rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> None:
    submitted = complaint("a", facts={"policy": "5G", "fault_kind": "f"})
    registered = Registered(case="a", at=START, complaint=submitted)
    with_withdrawn = rules(counts=[POLICY | {"withdrawn": True}, FAULT])
    triage_case = assess_registration(registered, with_withdrawn, context).after
    withdrawn = assess_event(Withdrawn(case="a", at=START), triage_case, context)
    assert counters(withdrawn) == [("f", "")]
    amended = assess_event(Amended(case="a", at=START, facts={"policy": "4G", "fault_kind": "g"}), withdrawn.after, context)
    assert counters(amended) == [("5G", ""), ("", "4G")]
    assert counters(assess_event(Reopened(case="a", at=START), amended.after, context)) == [("", "g")]


def test_class_set_by_a_person_is_kept(rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> None:
    triage_case = registration(rules, complaint, context).after
    by_rule = after(triage_case, Reclassified(case="a", at=START, role="system", class_="middle"), context)
    assert (by_rule.effective.class_, by_rule.set_by_person) == ("middle", False)
    by_person = after(triage_case, Reclassified(case="a", at=START, role="handler", class_="middle"), context)
    assert (by_person.effective.class_, by_person.set_by_person) == ("middle", True)


def test_only_a_key_that_no_group_and_no_rule_sets_is_fixed(rules: MakeRules) -> None:
    by_group = {"id": "set", "key": "facts.policy", "threshold": 2, "does": {"set": {"fault_kind": "outage"}}}
    by_class = {"id": "class", "key": "case.class", "threshold": 2, "does": {}}
    by_channel = {"id": "channel", "key": "complaint.channel", "threshold": 2, "does": {}}
    guarded = {"id": "guarded", "key": "facts.policy", "when": "facts.fault_kind != ''", "threshold": 2, "does": {}}
    assert rules(counts=[by_group, FAULT, by_class, by_channel, guarded]).fixed_counts == {DUPLICATES, "set", "channel"}
