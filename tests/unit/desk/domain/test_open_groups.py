"""Counters and choices from groups are those of the cases that the viewer sees."""

from services.desk.domain.open_groups import MAX_CHOICES, ChoiceGroup, OpenGroup, choices_for, count_for
from services.desk.domain.viewer import Viewer

LIFTS, WATER = frozenset({"d:lifts"}), frozenset({"d:water", "p:wang"})
NOBODY: frozenset[str] = frozenset()
GROUPS = [
    OpenGroup(LIFTS, NOBODY, open=5, late=2, today=1, unassigned=5, escalated=1),
    OpenGroup(WATER, NOBODY, open=3, late=1, today=0, unassigned=0, escalated=0),
    OpenGroup(LIFTS, frozenset({"wang"}), open=7, late=7, today=0, unassigned=7, escalated=7),
]


def viewer(*sees: str, of_everything: bool = False) -> Viewer:
    return Viewer("wang", None if of_everything else sees, ("wang",), ("p:wang",), ("handler",))


def test_counters_are_sums_of_the_visible_groups() -> None:
    assert count_for(viewer("d:lifts", "p:wang"), GROUPS) == {"open": 8, "late": 3, "today": 1, "unassigned": 5, "mine": 3, "escalated": 1}
    assert count_for(viewer("p:wang"), GROUPS)["open"] == 3
    assert count_for(viewer("d:roads"), GROUPS)["open"] == 0


def test_cases_about_the_viewer_count_for_others_alone() -> None:
    assert count_for(viewer(of_everything=True), GROUPS)["open"] == 8
    assert count_for(Viewer("li", None, ("li",), ("p:li",), ()), GROUPS)["open"] == 15


def test_choices_are_those_of_the_visible_groups_each_once_in_order() -> None:
    groups = [
        ChoiceGroup(LIFTS, NOBODY, ("shop", "urgent", "lifts")),
        ChoiceGroup(LIFTS, NOBODY, ("hall", "urgent", "")),
        ChoiceGroup(WATER, NOBODY, ("shop", "slow", "water")),
    ]
    assert choices_for(viewer("d:lifts"), groups) == {"procedure": ["hall", "shop"], "class": ["urgent"], "department": ["lifts"]}


def test_a_field_offers_at_most_so_many_choices() -> None:
    groups = [ChoiceGroup(LIFTS, NOBODY, ("shop", f"c{number:04}", "lifts")) for number in range(MAX_CHOICES + 5)]
    assert len(choices_for(viewer("d:lifts"), groups)["class"]) == MAX_CHOICES
