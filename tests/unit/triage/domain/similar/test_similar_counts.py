"""A count entry with `similar`: one alarm once so many people tell of one event, explained, and undone by a person."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.triage.domain.rule_scope import TriageContext
from services.triage.domain.state import TriageState
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.from_work_to_closing import Unlinked
from shared.contracts.events.triage import Classified, GroupDissolved, GroupFound, Registered
from shared.contracts.events.up_to_approval import Amended
from shared.procedures.model.triage.entries import CountEntry
from tests.unit.triage.conftest import MakeComplaint, MakeRules

EVENT: dict[str, Any] = {
    "id": "event",
    "similar": {},
    "when": "complaint.channel_family != 'official'",
    "threshold": 3,
    "distinct": "complainant",
    "window": "60d",
    "does": {"as": "same_event", "reclassify": "middle", "set": {"second_complaint": True}},
}
TEXTS = ("翠湖花园电梯停运三天，老人上不了楼", "翠湖花园的电梯坏了三天没有人修", "翠湖花园老人上不了楼，电梯停运三天了没人管")
ELSEWHERE = "金桂花园电梯停运三天，老人上不了楼"


class Told:
    """Texts told one after the other."""

    def __init__(self, rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> None:
        self.rules, self.complaint, self.context = rules(counts=[EVENT]), complaint, context
        self.state = TriageState()

    def tell(self, case: str, text: str, who: str = "", **fields: Any) -> list[CaseEvent]:
        complaint = self.complaint(case, text=text, **fields)
        keys = [f"phone:{who or case}"]
        registered = Registered(case=case, at=complaint.registered_at, complaint=complaint, complainant_keys=keys)
        return self.state.add_case(registered, self.rules, self.context)

    def group(self, case: str) -> str:
        return next((membership.group for membership in self.state.cases[case].memberships), "")


@pytest.fixture
def told(rules: MakeRules, complaint: MakeComplaint, context: TriageContext) -> Told:
    return Told(rules, complaint, context)


def found(events: list[CaseEvent]) -> list[GroupFound]:
    return [event for event in events if isinstance(event, GroupFound)]


def test_third_person_completes_the_event_once(told: Told) -> None:
    assert not found(told.tell("a", TEXTS[0]) + told.tell("b", TEXTS[1]))
    (alarm,) = found(told.tell("c", TEXTS[2]))
    assert (alarm.members, alarm.key) == (["a", "b", "c"], "a")
    assert not found(told.tell("d", TEXTS[0]))
    assert told.group("a") == told.group("d") == "event/c"
    assert {told.state.cases[case].effective.class_ for case in "abcd"} == {"middle"}


def test_one_person_does_not_make_an_event(told: Told) -> None:
    assert not found([event for number, text in enumerate(TEXTS) for event in told.tell(f"c{number}", text, who="one")])


def test_another_place_does_not_join(told: Told) -> None:
    events = [event for number, text in enumerate([TEXTS[0], TEXTS[1], ELSEWHERE]) for event in told.tell(f"c{number}", text)]
    assert not found(events)


def test_another_object_does_not_join(told: Told) -> None:
    events = [event for number in range(3) for event in told.tell(f"c{number}", TEXTS[number], object=f"L-{number}")]
    assert not found(events)


def test_classified_says_why_two_were_joined(told: Told) -> None:
    told.tell("a", TEXTS[0])
    classified = next(event for event in told.tell("b", TEXTS[1]) if isinstance(event, Classified))
    line = classified.evidence[-1]
    assert line.startswith("event: like case a, similarity 0.")
    assert "both name 翠湖" in line
    assert "«电梯»" in line or "«翠湖" in line


def test_person_takes_a_member_out_for_good(told: Told) -> None:
    for case, text in zip("abcd", [*TEXTS, TEXTS[0]], strict=True):
        told.tell(case, text)
    membership = told.state.cases["d"].memberships[0]
    unlinked = Unlinked(case="d", at=told.context.at, role="handler", actor="li", to_case=membership.to_case, kind_of_link="same_event")
    told.state.apply_event(unlinked, told.context)
    assert told.group("d") == ""
    told.state.apply_event(Amended(case="d", at=told.context.at, role="handler", fields={"text": TEXTS[1]}), told.context)
    assert told.group("d") == ""
    assert told.group("a") == "event/c"


def test_member_that_was_taken_out_stays_out_when_it_counts_again(told: Told) -> None:
    for case, text in zip("abcd", [*TEXTS, TEXTS[0]], strict=True):
        told.tell(case, text)
    unlinked = Unlinked(case="d", at=told.context.at, role="handler", actor="li", to_case="c", kind_of_link="same_event")
    told.state.apply_event(unlinked, told.context)
    for channel in ("regulator", "hotline"):
        told.state.apply_event(Amended(case="d", at=told.context.at, role="handler", fields={"channel": channel}), told.context)
        assert told.state.cases["d"].count_keys.get("event") == (None if channel == "regulator" else ("d/apart",))
    assert told.group("d") == ""


def test_event_dissolves_when_too_few_are_left(told: Told) -> None:
    for case, text in zip("abc", TEXTS, strict=True):
        told.tell(case, text)
    membership = told.state.cases["b"].memberships[0]
    unlinked = Unlinked(case="b", at=told.context.at, role="handler", actor="li", to_case=membership.to_case, group=membership.group)
    events = told.state.apply_event(unlinked, told.context)
    assert [event.group for event in events if isinstance(event, GroupDissolved)] == ["event/c"]
    assert {told.group(case) for case in "abc"} == {""}
    assert not told.state.cases["a"].group_facts


def test_amended_text_stays_in_its_event(told: Told) -> None:
    told.tell("a", TEXTS[0])
    told.tell("b", TEXTS[1])
    told.state.apply_event(Amended(case="b", at=told.context.at, role="handler", fields={"text": "谢谢"}), told.context)
    assert found(told.tell("c", TEXTS[2]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"key": "facts.policy"}, "either key or similar"),
        ({"similar": None}, "either key or similar"),
        ({"window": None}, "similar needs a window"),
        ({"same": "complainant"}, "exclude each other"),
        ({"similar": {"threshold": 0.5, "elsewhere": 0.4}}, "elsewhere is below threshold"),
        ({"similar": {"texts": 1_000_000}}, "less than or equal to 100000"),
    ],
)
def test_entry_that_cannot_compare_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        CountEntry.model_validate(EVENT | changes)
