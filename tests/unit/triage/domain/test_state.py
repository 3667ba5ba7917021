"""Events that follow from registrations and case events: groups, amendments, classes set by a person."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from services.triage.domain.compiled_rules import TriageRules
from services.triage.domain.rule_scope import TriageContext
from services.triage.domain.state import TriageState
from shared.contracts.complaint import Complaint
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.from_work_to_closing import Linked, Reopened, Supplemented, Unlinked, Withdrawn
from shared.contracts.events.triage import GroupFound, Reclassified, Registered
from shared.contracts.events.up_to_approval import Amended, Refused
from tests.unit.triage.conftest import START, MakeComplaint, MakeRules

BATCH = {
    "id": "batch",
    "key": "facts.policy",
    "threshold": 3,
    "clause": "9",
    "does": {"as": "group", "reclassify": "middle", "rule": "mass"},
}


@dataclass
class Triage:
    """A triage state under one procedure."""

    rules: TriageRules
    context: TriageContext
    state: TriageState

    def register(self, complaint: Complaint) -> list[CaseEvent]:
        registered = Registered(case=complaint.case, at=complaint.registered_at, complaint=complaint)
        return self.state.add_case(registered, self.rules, self.context)

    def apply(self, event: CaseEvent) -> list[CaseEvent]:
        return self.state.apply_event(event, self.context)


MakeTriage = Callable[..., Triage]


@pytest.fixture
def triage(rules: MakeRules, context: TriageContext) -> MakeTriage:
    def make(*counts: dict[str, Any]) -> Triage:
        return Triage(rules(counts=list(counts or [BATCH])), context, TriageState())

    return make


def types_and_cases(events: list[CaseEvent]) -> list[tuple[str, str]]:
    return [(event.type, event.case) for event in events]


def test_group_reclassifies_cases_that_were_classified_before(triage: MakeTriage, complaint: MakeComplaint) -> None:
    shop = triage()
    for case in ("a", "b"):
        events = shop.register(complaint(case, facts={"policy": "5G"}))
        assert types_and_cases(events) == [("classified", case), ("route_proposed", case)]
    events = shop.register(complaint("c", facts={"policy": "5G"}))
    assert types_and_cases(events)[2:] == [
        ("group_found", "c"),
        *[pair for case in "abc" for pair in (("linked", case), ("reclassified", case))],
    ]
    reclassified = events[4]
    assert isinstance(reclassified, Reclassified)
    assert (reclassified.from_class, reclassified.class_, reclassified.rule, reclassified.clause) == ("light", "middle", "mass", "9")
    events = shop.register(complaint("d", facts={"policy": "5G"}))
    assert types_and_cases(events)[2:] == [("linked", "d"), ("reclassified", "d")]


def test_empty_key_is_not_counted(triage: MakeTriage, complaint: MakeComplaint) -> None:
    shop = triage()
    assert all(len(shop.register(complaint(case))) == 2 for case in "abcd")


def test_without_reaching_back_only_the_completing_case_changes(triage: MakeTriage, complaint: MakeComplaint) -> None:
    shop = triage(BATCH | {"threshold": 2, "reaches_back": False})
    shop.register(complaint("a", facts={"policy": "x"}))
    events = shop.register(complaint("b", facts={"policy": "x"}))
    assert types_and_cases(events)[2:] == [("group_found", "b"), ("linked", "b"), ("reclassified", "b")]


def test_group_never_lowers_the_class(triage: MakeTriage, complaint: MakeComplaint) -> None:
    shop = triage(BATCH | {"threshold": 2})
    shop.register(complaint("a", facts={"policy": "x", "injury": True}))
    events = shop.register(complaint("b", facts={"policy": "x"}))
    assert types_and_cases(events)[2:] == [("group_found", "b"), ("linked", "a"), ("linked", "b"), ("reclassified", "b")]


def test_facts_set_by_a_group_change_the_class(triage: MakeTriage, complaint: MakeComplaint) -> None:
    shop = triage(BATCH | {"threshold": 2, "reaches_back": False, "does": {"as": "repeat", "set": {"second_complaint": True}}})
    shop.register(complaint("a", facts={"policy": "x"}))
    events = shop.register(complaint("b", facts={"policy": "x"}))
    assert types_and_cases(events)[3:] == [("linked", "b"), ("amended", "b"), ("reclassified", "b")]
    assert shop.apply(Amended(case="b", at=START, by="triage", facts={"second_complaint": True})) == []


def test_facts_set_by_a_group_move_the_case_to_another_counter_once(triage: MakeTriage, complaint: MakeComplaint) -> None:
    sets_fact = BATCH | {"threshold": 2, "does": {"as": "repeat", "set": {"media": True}}}
    counts_fact = BATCH | {"id": "media", "key": "facts.media ? 'media' : 'none'", "threshold": 2, "does": {"as": "group"}}
    shop = triage(sets_fact, counts_fact)
    shop.register(complaint("a", facts={"policy": "x"}))
    events = shop.register(complaint("b", facts={"policy": "x"}))
    links = [(event.case, event.group) for event in events if isinstance(event, Linked)]
    assert links == [("a", "batch/b"), ("b", "batch/b"), ("a", "media/b"), ("b", "media/b")]


def test_class_set_by_a_person_outranks_a_later_group(triage: MakeTriage, complaint: MakeComplaint) -> None:
    shop = triage(BATCH | {"threshold": 2})
    shop.register(complaint("a", facts={"policy": "x"}))
    shop.apply(Reclassified(case="a", at=START, role="handler", class_="light"))
    events = shop.register(complaint("b", facts={"policy": "x"}))
    assert types_and_cases(events)[2:] == [("group_found", "b"), ("linked", "a"), ("linked", "b"), ("reclassified", "b")]


def test_amended_complaint_is_classified_again(triage: MakeTriage, complaint: MakeComplaint) -> None:
    shop = triage()
    shop.register(complaint("a"))
    events = shop.apply(Amended(case="a", at=START, facts={"media": True}))
    assert [(e.type, e.class_, e.from_class, e.rule) for e in events if isinstance(e, Reclassified)] == [
        ("reclassified", "grave", "light", "crowd")
    ]
    assert shop.apply(Amended(case="a", at=START, facts={"media": True})) == []
    events = shop.apply(Amended(case="a", at=START, facts={"media": False}, fields={"kind": "demand", "number": "forged"}))
    assert [(e.class_, e.kind) for e in events if isinstance(e, Reclassified)] == [("light", "demand")]
    assert shop.state.cases["a"].complaint.number == "TS-2026-00001"


def test_facts_read_from_what_the_complainant_adds_are_published_without_a_change_of_class(
    rules: MakeRules, context: TriageContext, complaint: MakeComplaint
) -> None:
    """hunan-property 3.5.1.2: a lift that stands still starts the day's clock, whatever the class was before."""
    derived = [{"id": "stuck", "set": {"fault_kind": "lift"}, "when": "complaint.text.contains('停梯')"}]
    shop = Triage(rules(derived=derived), context, TriageState())
    shop.register(complaint("a", text="垃圾没人清"))
    assert facts_amended(shop.apply(Supplemented(case="a", at=START, text="还停梯了"))) == [("a", {"fault_kind": "lift"})]
    assert shop.apply(Supplemented(case="a", at=START, text="停梯两天")) == []
    assert facts_amended(shop.apply(Amended(case="a", at=START, fields={"text": "垃圾没人清"}))) == [("a", {"fault_kind": None})]
    assert shop.apply(Amended(case="a", at=START, fields={"text": "停梯"}, facts={"fault_kind": "door"})) == []


def test_facts_of_a_new_class_come_with_it(triage: MakeTriage, complaint: MakeComplaint) -> None:
    shop = triage()
    shop.register(complaint("a"))
    assert types_and_cases(shop.apply(Supplemented(case="a", at=START, text="有人受伤"))) == [("reclassified", "a")]


def test_facts_that_no_longer_hold_are_taken_back_before_the_class_that_they_gave(triage: MakeTriage, complaint: MakeComplaint) -> None:
    shop = triage()
    shop.register(complaint("a", text="有人受伤"))
    events = shop.apply(Amended(case="a", at=START, fields={"text": "有人聚集"}))
    assert types_and_cases(events) == [("amended", "a"), ("reclassified", "a")]
    assert facts_amended(events) == [("a", {"injury": None})]
    assert [event.facts for event in events if isinstance(event, Reclassified)] == [{"persons": 5, "media": True}]
    assert facts_amended(shop.apply(Amended(case="a", at=START, fields={"text": "你好"}))) == [("a", {"persons": None, "media": None})]


def test_amended_count_key_moves_the_case_and_dissolves_its_group(triage: MakeTriage, complaint: MakeComplaint) -> None:
    shop = triage()
    for case in "abc":
        shop.register(complaint(case, facts={"policy": "x"}))
    events = shop.apply(Amended(case="c", at=START, facts={"policy": "y"}))
    assert types_and_cases(events) == [
        ("group_dissolved", "c"),
        *[pair for case in "cab" for pair in (("unlinked", case), ("reclassified", case))],
    ]
    assert {triage_case.effective.class_ for triage_case in shop.state.cases.values()} == {"light"}


def test_refused_case_no_longer_counts(triage: MakeTriage, complaint: MakeComplaint) -> None:
    shop = triage()
    for case in "ab":
        shop.register(complaint(case, facts={"policy": "x"}))
    shop.apply(Refused(case="a", at=START, reason="no complaint"))
    assert len(shop.register(complaint("c", facts={"policy": "x"}))) == 2
    shop.apply(Reopened(case="a", at=START))
    assert shop.state.cases["a"].effective.class_ == "middle", "reopened, it counts again and completes the group"


@pytest.mark.parametrize("counts", [False, True])
def test_withdrawn_one_counts_where_the_pack_says_so(triage: MakeTriage, complaint: MakeComplaint, *, counts: bool) -> None:
    shop = triage(BATCH | {"withdrawn": counts})
    for case in "ab":
        shop.register(complaint(case, facts={"policy": "x"}))
    shop.apply(Withdrawn(case="b", at=START))
    assert (("group_found", "c") in types_and_cases(shop.register(complaint("c", facts={"policy": "x"})))) is counts


SETS_FACT = BATCH | {"threshold": 2, "does": {"as": "group", "set": {"second_complaint": True}}}


def facts_amended(events: list[CaseEvent]) -> list[tuple[str, Any]]:
    return [(event.case, event.facts) for event in events if isinstance(event, Amended)]


def test_group_fact_leaves_its_members_when_the_group_dissolves(triage: MakeTriage, complaint: MakeComplaint) -> None:
    shop = triage(SETS_FACT)
    for case in "ab":
        events = shop.register(complaint(case, facts={"policy": "x"}))
    assert facts_amended(events) == [("a", {"second_complaint": True}), ("b", {"second_complaint": True})]
    events = shop.apply(Refused(case="b", at=START, reason="no complaint"))
    assert facts_amended(events) == [("b", {"second_complaint": None}), ("a", {"second_complaint": None})]
    unlinked = [(e.case, e.to_case, e.group) for e in events if isinstance(e, Unlinked)]
    assert unlinked == [("b", "a", "batch/b"), ("a", "b", "batch/b")]
    assert {c.effective.class_ for c in shop.state.cases.values()} == {"light"}


def test_group_fact_leaves_the_case_that_leaves_the_group(triage: MakeTriage, complaint: MakeComplaint) -> None:
    shop = triage(SETS_FACT)
    for case in "abc":
        shop.register(complaint(case, facts={"policy": "x"}))
    events = shop.apply(Amended(case="a", at=START, facts={"policy": "y"}))
    assert facts_amended(events) == [("a", {"second_complaint": None})]
    assert [(case, c.effective.class_) for case, c in shop.state.cases.items()] == [("a", "light"), ("b", "middle"), ("c", "middle")]


def test_fact_of_the_submission_stays_when_the_group_that_set_it_too_dissolves(triage: MakeTriage, complaint: MakeComplaint) -> None:
    shop = triage(SETS_FACT)
    shop.register(complaint("a", facts={"policy": "x", "second_complaint": True}))
    shop.register(complaint("b", facts={"policy": "x"}))
    events = shop.apply(Refused(case="b", at=START, reason="no complaint"))
    assert facts_amended(events) == [("b", {"second_complaint": None})]
    assert shop.state.cases["a"].effective.class_ == "middle"


def test_fact_that_two_groups_set_stays_while_one_of_them_holds(triage: MakeTriage, complaint: MakeComplaint) -> None:
    shop = triage(SETS_FACT, SETS_FACT | {"id": "fault", "key": "facts.fault_kind"})
    for case in "ab":
        shop.register(complaint(case, facts={"policy": "x", "fault_kind": "f"}))
    assert facts_amended(shop.apply(Amended(case="b", at=START, facts={"policy": "y"}))) == []
    events = shop.apply(Amended(case="b", at=START, facts={"fault_kind": "g"}))
    assert facts_amended(events) == [("b", {"second_complaint": None}), ("a", {"second_complaint": None})]


def test_fact_that_a_person_amended_since_is_his_own(triage: MakeTriage, complaint: MakeComplaint) -> None:
    shop = triage(SETS_FACT)
    for case in "ab":
        shop.register(complaint(case, facts={"policy": "x"}))
    shop.apply(Amended(case="a", at=START, role="handler", facts={"second_complaint": True}))
    assert facts_amended(shop.apply(Refused(case="b", at=START))) == [("b", {"second_complaint": None})]
    assert shop.state.cases["a"].effective.class_ == "middle"


def test_null_takes_a_fact_of_the_submission_away(triage: MakeTriage, complaint: MakeComplaint) -> None:
    shop = triage()
    shop.register(complaint("a", facts={"media": True}))
    shop.apply(Amended(case="a", at=START, role="handler", facts={"media": None}))
    assert (shop.state.cases["a"].effective.class_, shop.state.cases["a"].complaint.facts) == ("light", {})


def test_counts_are_computed_again_when_a_group_fact_leaves(triage: MakeTriage, complaint: MakeComplaint) -> None:
    counts_fact = BATCH | {"id": "seconds", "key": "facts.second_complaint ? 'yes' : ''", "threshold": 2, "does": {"as": "group"}}
    shop = triage(SETS_FACT, counts_fact)
    for case in "ab":
        shop.register(complaint(case, facts={"policy": "x"}))
    events = shop.apply(Refused(case="b", at=START))
    assert ("group_dissolved", "b") in types_and_cases(events)
    assert not [o for counter in shop.state.counters.values() for o in counter.occurrences if o.group]
    assert [m for c in shop.state.cases.values() for m in c.memberships] == []


def test_each_of_several_people_under_against_counts(triage: MakeTriage, complaint: MakeComplaint) -> None:
    again = {"id": "again", "key": "complaint.against", "threshold": 2, "does": {"as": "repeat"}}
    shop = triage(again)
    shop.register(complaint("a", against=["王五", "赵六", "王五"]))
    shop.register(complaint("b", against=["钱七"]))
    events = shop.register(complaint("c", against=["钱七", "赵六"]))
    links = [(e.case, e.to_case) for e in events if isinstance(e, Linked)]
    assert links == [("b", "c"), ("c", "b"), ("a", "c"), ("c", "a")]
    groups = {e.group for e in events if isinstance(e, GroupFound)}
    assert len(groups) == 2, "a case may complete two groups under one entry"


def test_event_of_unknown_case_changes_nothing(triage: MakeTriage) -> None:
    assert triage().apply(Amended(case="unknown", at=START, facts={"media": True})) == []


def test_group_whose_fact_ends_its_own_condition_holds(triage: MakeTriage, complaint: MakeComplaint) -> None:
    counts_light_ones = SETS_FACT | {"when": "case.class == 'light'"}
    shop = triage(counts_light_ones)
    for case in "ab":
        events = shop.register(complaint(case, facts={"policy": "x"}))
    assert facts_amended(events) == [("a", {"second_complaint": True}), ("b", {"second_complaint": True})]
    assert {c.effective.class_ for c in shop.state.cases.values()} == {"middle"}
