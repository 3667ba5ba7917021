"""What follows from a new case or from a case's news: groups that reach back, amendments, persons who outrank rules."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from services.triage.domain.assess import assess
from services.triage.domain.rule_scope import TriageContext
from services.triage.domain.state import TriageState
from shared.contracts.complaint import Complaint
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.handling import Withdrawn
from shared.contracts.events.measures import Amended, Refused
from shared.contracts.events.triage import Reclassified, Registered
from shared.procedures.model.bound_procedure import BoundProcedure
from shared.procedures.organisation import Organisation
from tests.unit.triage.conftest import START, MakeBound, MakeComplaint

BATCH = {
    "id": "batch",
    "key": "facts.policy",
    "threshold": 3,
    "clause": "9",
    "does": {"as": "group", "reclassify": "middle", "rule": "mass"},
}


@dataclass
class Play:
    desk: TriageState
    bound: BoundProcedure
    context: TriageContext
    events: list[CaseEvent] = field(default_factory=list)

    def take(self, complaint: Complaint) -> list[CaseEvent]:
        decision = assess(complaint, self.bound, self.desk.organisation, self.context)
        return self.desk.add_case(Registered(case=complaint.case, at=complaint.registered_at, complaint=complaint), decision, self.context)

    def follow(self, event: CaseEvent) -> list[CaseEvent]:
        return self.desk.apply_event(event, self.context)


@pytest.fixture
def play(bound: MakeBound, organisation: Organisation, context: TriageContext) -> Any:
    def make(**changes: Any) -> Play:
        return Play(TriageState(organisation), bound(**{"counts": [BATCH]} | changes), context)

    return make


def told(events: list[CaseEvent]) -> list[tuple[str, str]]:
    return [(e.type, e.case) for e in events]


def test_a_group_reaches_back_to_cases_already_classified(play: Any, complaint: MakeComplaint) -> None:
    game = play()
    for case in ("a", "b"):
        assert told(game.take(complaint(case, facts={"policy": "5G"}))) == [("classified", case), ("route_proposed", case)]
    events = game.take(complaint("c", facts={"policy": "5G"}))
    assert told(events)[2:] == [
        ("group_found", "c"),
        *[pair for case in "abc" for pair in (("linked", case), ("reclassified", case))],
    ]
    change = events[4]
    assert isinstance(change, Reclassified)
    assert (change.from_class, change.class_, change.rule, change.clause) == ("light", "middle", "mass", "9")
    later = game.take(complaint("d", facts={"policy": "5G"}))
    assert told(later)[2:] == [("linked", "d"), ("reclassified", "d")]


def test_an_empty_key_counts_nowhere(play: Any, complaint: MakeComplaint) -> None:
    game = play()
    assert all(len(game.take(complaint(case))) == 2 for case in "abcd")


def test_without_reaching_back_only_the_completing_case_changes(play: Any, complaint: MakeComplaint) -> None:
    game = play(counts=[BATCH | {"threshold": 2, "reaches_back": False}])
    game.take(complaint("a", facts={"policy": "x"}))
    events = game.take(complaint("b", facts={"policy": "x"}))
    assert told(events)[2:] == [("group_found", "b"), ("linked", "b"), ("reclassified", "b")]


def test_a_group_never_makes_a_grave_case_lighter(play: Any, complaint: MakeComplaint) -> None:
    game = play(counts=[BATCH | {"threshold": 2}])
    game.take(complaint("a", facts={"policy": "x", "injury": True}))
    events = game.take(complaint("b", facts={"policy": "x"}))
    assert told(events)[2:] == [("group_found", "b"), ("linked", "a"), ("linked", "b"), ("reclassified", "b")]


def test_a_group_may_set_facts_that_change_the_class(play: Any, complaint: MakeComplaint) -> None:
    game = play(counts=[BATCH | {"threshold": 2, "reaches_back": False, "does": {"as": "repeat", "set": {"second_complaint": True}}}])
    game.take(complaint("a", facts={"policy": "x"}))
    events = game.take(complaint("b", facts={"policy": "x"}))
    assert told(events)[3:] == [("linked", "b"), ("amended", "b"), ("reclassified", "b")]
    assert game.follow(Amended(case="b", at=START, by="triage", facts={"second_complaint": True})) == []


def test_a_persons_class_outranks_a_later_group(play: Any, complaint: MakeComplaint) -> None:
    game = play(counts=[BATCH | {"threshold": 2}])
    game.take(complaint("a", facts={"policy": "x"}))
    game.follow(Reclassified(case="a", at=START, role="handler", class_="light"))
    events = game.take(complaint("b", facts={"policy": "x"}))
    assert told(events)[2:] == [("group_found", "b"), ("linked", "a"), ("linked", "b"), ("reclassified", "b")]


def test_an_amendment_is_classified_again(play: Any, complaint: MakeComplaint) -> None:
    game = play()
    game.take(complaint("a"))
    events = game.follow(Amended(case="a", at=START, facts={"media": True}))
    assert [(e.type, e.class_, e.from_class, e.rule) for e in events] == [("reclassified", "grave", "light", "crowd")]
    assert game.follow(Amended(case="a", at=START, facts={"media": True})) == []
    back = game.follow(Amended(case="a", at=START, facts={"media": False}, fields={"kind": "demand", "number": "forged"}))
    assert [(e.class_, e.kind) for e in back] == [("light", "demand")]
    assert game.desk.cases["a"].complaint.number == "S-1"


def test_amending_the_counted_attribute_leaves_one_group_and_joins_another(play: Any, complaint: MakeComplaint) -> None:
    game = play()
    for case in "abc":
        game.take(complaint(case, facts={"policy": "x"}))
    events = game.follow(Amended(case="c", at=START, facts={"policy": "y"}))
    assert told(events) == [
        ("group_dissolved", "c"),
        *[pair for case in "cab" for pair in (("unlinked", case), ("reclassified", case))],
    ]
    assert {known.held.class_ for known in game.desk.cases.values()} == {"light"}


def test_a_refused_case_no_longer_counts_a_withdrawn_one_has_counted(play: Any, complaint: MakeComplaint) -> None:
    game = play()
    for case in "ab":
        game.take(complaint(case, facts={"policy": "x"}))
    game.follow(Refused(case="a", at=START, reason="no complaint"))
    assert len(game.take(complaint("c", facts={"policy": "x"}))) == 2
    game.follow(Withdrawn(case="b", at=START))
    assert ("group_found", "d") in told(game.take(complaint("d", facts={"policy": "x"})))


def test_news_of_an_unknown_case_changes_nothing(play: Any) -> None:
    assert play().follow(Amended(case="nobody", at=START, facts={"media": True})) == []
