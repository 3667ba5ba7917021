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
from shared.contracts.events.from_work_to_closing import Linked, Withdrawn
from shared.contracts.events.triage import Reclassified, Registered
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


def test_refused_case_no_longer_counts_and_withdrawn_case_still_does(triage: MakeTriage, complaint: MakeComplaint) -> None:
    shop = triage()
    for case in "ab":
        shop.register(complaint(case, facts={"policy": "x"}))
    shop.apply(Refused(case="a", at=START, reason="no complaint"))
    assert len(shop.register(complaint("c", facts={"policy": "x"}))) == 2
    shop.apply(Withdrawn(case="b", at=START))
    assert ("group_found", "d") in types_and_cases(shop.register(complaint("d", facts={"policy": "x"})))


def test_event_of_unknown_case_changes_nothing(triage: MakeTriage) -> None:
    assert triage().apply(Amended(case="unknown", at=START, facts={"media": True})) == []
