"""*Duplicate or repeat* (vocabulary.md): which submissions triage links, and which it proposes."""

from typing import Any

import pytest

from services.triage.domain.rule_scope import TriageContext
from services.triage.domain.state import TriageState
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.from_work_to_closing import ActionRefused, Linked, Unlinked, Withdrawn
from shared.contracts.events.triage import GroupDissolved, GroupFound, LinkProposed, Registered
from shared.contracts.events.up_to_approval import Amended
from tests.unit.triage.conftest import MakeComplaint, MakeRules

RULE = {"within": "2h", "same": ["object"], "clause": "6"}
SECOND = {
    "id": "second",
    "key": "complaint.object",
    "same": "complainant",
    "threshold": 2,
    "reaches_back": False,
    "does": {"as": "repeat", "set": {"second_complaint": True}},
}
JOINT = {"id": "joint", "key": "complaint.object", "distinct": "complainant", "threshold": 2, "does": {"as": "group"}}
PHONE = ("phone:a",)


class Desk:
    """A triage state under one procedure with a rule for duplicates, None for none."""

    def __init__(self, rules: MakeRules, complaint: MakeComplaint, context: TriageContext, rule: dict[str, Any] | None) -> None:
        self.rules = rules(duplicates=rule, counts=[SECOND, JOINT])
        self.complaint, self.context, self.state = complaint, context, TriageState()

    def register(self, case: str, minutes: float = 0, keys: tuple[str, ...] = PHONE, **fields: Any) -> list[CaseEvent]:
        complaint = self.complaint(case, minutes, **({"object": "lift 3"} | fields))
        registered = Registered(case=case, at=complaint.registered_at, complaint=complaint, complainant_keys=list(keys))
        return self.state.add_case(registered, self.rules, self.context)

    def apply(self, event: CaseEvent) -> list[CaseEvent]:
        return self.state.apply_event(event, self.context)

    def refuse_link(self, case: str, to_case: str) -> list[CaseEvent]:
        """Sla's answer to a link whose lead has been answered or has ended."""
        data = {"to_case": to_case, "as": "duplicate"}
        return self.apply(ActionRefused(case=case, at=self.context.at, action="link", role="system", rule="link_target", data=data))


@pytest.fixture
def desk(rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> Desk:
    return Desk(rules, complaint, context, RULE)


@pytest.fixture
def desk_without_rule(rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> Desk:
    return Desk(rules, complaint, context, None)


def links(events: list[CaseEvent]) -> list[tuple[str, str, str]]:
    """The links and proposals among events: type, case, lead."""
    return [
        (event.type, event.case, event.to_case)
        for event in events
        if isinstance(event, Linked | LinkProposed) and event.kind_of_link == "duplicate"
    ]


def test_second_submission_of_a_person_on_the_matter_is_linked_by_triage(desk: Desk) -> None:
    assert links(desk.register("a")) == []
    events = desk.register("b", 119, object=" lift  3 ")
    [linked] = [event for event in events if isinstance(event, Linked)]
    assert (linked.to_case, linked.kind_of_link, linked.rule, linked.clause) == ("a", "duplicate", "duplicates", "6")


@pytest.mark.parametrize(
    ("fields", "keys", "minutes"),
    [
        ({}, ("phone:b",), 1),
        ({}, (), 1),
        ({}, PHONE, 121),
        ({"object": "lift 4"}, PHONE, 1),
        ({"object": None}, PHONE, 1),
        ({"object": "  "}, PHONE, 1),
    ],
)
def test_another_person_matter_or_time_is_no_duplicate(desk: Desk, fields: dict[str, Any], keys: tuple[str, ...], minutes: int) -> None:
    desk.register("a", object=fields.get("object", "lift 3") if fields.get("object", "x") != "lift 4" else "lift 3")
    assert links(desk.register("b", minutes, keys, **fields)) == []


def test_duplicate_of_a_duplicate_goes_to_the_lead_through_a_chain_of_keys(desk: Desk) -> None:
    desk.register("a")
    assert links(desk.register("b", 1, ("email:x", "phone:a"))) == [("linked", "b", "a")]
    assert links(desk.register("c", 2, ("email:x",))) == [("linked", "c", "a")]


def test_submission_received_earlier_but_registered_later_follows_the_one_that_is_handled(desk: Desk) -> None:
    desk.register("a", 30)
    assert links(desk.register("letter", 0)) == [("linked", "letter", "a")]


def test_phone_of_two_id_numbers_is_proposed_to_a_person(desk: Desk) -> None:
    desk.register("a", 0, ("id_number:1", "phone:a"))
    assert links(desk.register("b", 1, ("id_number:2", "phone:a"))) == []
    assert links(desk.register("c", 2)) == [("link_proposed", "c", "b")]


def test_without_the_rule_the_link_is_proposed_and_the_later_case_counts_as_a_repeat(desk_without_rule: Desk) -> None:
    desk_without_rule.register("a")
    events = desk_without_rule.register("b", 10_000)
    assert links(events) == [("link_proposed", "b", "a")]
    assert [(event.kind_of_link, event.to_case) for event in events if isinstance(event, Linked)] == [("repeat", "a")]


def test_without_the_rule_title_or_text_name_the_matter(desk_without_rule: Desk) -> None:
    desk_without_rule.register("a", object=None, title="电梯")
    assert links(desk_without_rule.register("b", object=None, title="电梯", text="又停了")) == [("link_proposed", "b", "a")]
    desk_without_rule.register("c", object=None, text="停水")
    assert links(desk_without_rule.register("d", object=None, text="停水")) == [("link_proposed", "d", "c")]


def test_duplicate_counts_once_with_its_lead(desk: Desk) -> None:
    desk.register("a")
    assert not [event for event in desk.register("b", 1) if isinstance(event, GroupFound)]
    [found] = [event for event in desk.register("c", 2, ("phone:c",)) if isinstance(event, GroupFound)]
    assert found.members == ["a", "c"]


def test_link_that_sla_refuses_makes_a_repeat_that_counts(desk: Desk) -> None:
    desk.register("a")
    desk.register("b", 1)
    # Another action's refusal, or that of a person, is no answer to triage's link.
    assert desk.refuse_link("b", "other") == []
    by_person = ActionRefused(case="b", at=desk.context.at, action="link", role="handler", actor="li", data={"to_case": "a"})
    assert desk.apply(by_person) == []
    events = desk.refuse_link("b", "a")
    assert [(event.case, event.kind_of_link) for event in events if isinstance(event, Linked)] == [("b", "repeat")]


def test_link_by_a_person_takes_the_case_out_of_counts_and_unlink_brings_it_back(desk: Desk) -> None:
    desk.register("a", keys=("phone:a",))
    assert [event for event in desk.register("b", keys=("phone:b",)) if isinstance(event, GroupFound)]
    link = {"at": desk.context.at, "role": "handler", "to_case": "a", "as": "duplicate"}
    assert [event.type for event in desk.apply(Linked(case="b", **link)) if isinstance(event, GroupDissolved)] == ["group_dissolved"]
    assert [event for event in desk.apply(Unlinked(case="b", **link)) if isinstance(event, GroupFound)]


def test_amended_matter_is_proposed_only_since_work_may_have_begun(desk: Desk) -> None:
    desk.register("a")
    desk.register("b", 1, object="lift 4")
    events = desk.apply(Amended(case="b", at=desk.context.at, role="handler", fields={"object": "lift 3"}))
    assert links(events) == [("link_proposed", "b", "a")]


def test_two_people_who_turn_out_to_be_one_on_another_matter_are_proposed_once(desk: Desk) -> None:
    desk.register("a")
    desk.register("b", 1, ("email:x",))
    bridge = desk.register("c", 2, ("email:x", "phone:a"), object="fee")
    assert links(bridge) == [("link_proposed", "b", "a")]
    assert links(desk.register("d", 3, ("email:y",), object="fee")) == []
    assert links(desk.register("e", 4, ("email:y", "phone:a"), object="fee")) == [("link_proposed", "d", "c"), ("linked", "e", "d")]


def test_withdrawn_submission_is_no_lead(desk: Desk) -> None:
    desk.register("a")
    desk.apply(Withdrawn(case="a", at=desk.context.at))
    assert links(desk.register("b", 1)) == []


def test_anonymous_submission_is_linked_to_no_named_one_of_its_person(desk: Desk, desk_without_rule: Desk) -> None:
    anonymous = {"anonymous": True}
    for of_desk in (desk, desk_without_rule):
        of_desk.register("a", 0, complainant=anonymous)
        assert links(of_desk.register("b", 1)) == []
        assert [(case, lead) for _, case, lead in links(of_desk.register("c", 2, complainant=anonymous))] == [("c", "a")]
        assert [(case, lead) for _, case, lead in links(of_desk.register("d", 3))] == [("d", "b")]
