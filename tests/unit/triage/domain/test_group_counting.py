"""Who counts together: windows, thresholds, distinct complainants, groups that are already found."""

import random
from datetime import timedelta
from typing import Any

import pytest

from services.triage.domain.group_counting import GroupCounter, GroupJoined, GroupLeft, Occurrence, count_case, remove_case, window_length
from shared.procedures.model.procedure import CountEntry
from tests.unit.triage.conftest import START


def entry(**changes: Any) -> CountEntry:
    return CountEntry.model_validate({"id": "burst", "key": "'x'", "threshold": 3, "does": {}} | changes)


def feed(rule: CountEntry, minutes: list[float], who: list[str] | None = None) -> list[GroupJoined | None]:
    tally, seen = GroupCounter(), []
    for place, minute in enumerate(minutes):
        mark = Occurrence(START + timedelta(minutes=minute), f"c{place}", who[place] if who else "")
        tally, found = count_case(tally, mark, rule)
        seen.append(found)
    return seen


def test_the_case_that_completes_the_group_finds_it_and_names_all() -> None:
    first, second, third = feed(entry(), [0, 1, 2])
    assert (first, second) == (None, None)
    assert third == GroupJoined("burst/c2", new=True, joined=("c0", "c1", "c2"), members=("c0", "c1", "c2"))


def test_later_cases_join_and_the_group_is_found_once() -> None:
    found = feed(entry(), [0, 1, 2, 3, 4])
    assert [f.new for f in found if f] == [True, False, False]
    assert [f.joined for f in found if f][1:] == [("c3",), ("c4",)]


@pytest.mark.parametrize(("minutes", "together"), [([0, 15, 30], 3), ([0, 15, 30.01], 0), ([0, 29, 31, 58], 3), ([30, 0, 15], 3)])
def test_a_window_reaches_from_the_first_to_the_last(minutes: list[float], together: int) -> None:
    found = [f for f in feed(entry(window="30m"), minutes) if f]
    assert sum(len(f.joined) for f in found) == together


def test_a_late_arrival_between_completes_the_window_and_cases_outside_stay_out() -> None:
    *_, last = feed(entry(window="30m"), [0, 100, 110, 200, 105])
    assert last is not None
    assert last.members == ("c1", "c4", "c2")


def test_a_case_in_the_overlap_joins_the_group_that_is_there() -> None:
    found = feed(entry(window="30m"), [0, 10, 20, 40, 41])
    assert [f.joined if f else None for f in found[3:]] == [("c3",), ("c4",)]
    groups = {f.group for f in found if f}
    assert groups == {"burst/c2"}


def test_different_complainants_are_counted_and_the_unknown_each_for_himself() -> None:
    assert not any(feed(entry(distinct="complainant"), [0, 1, 2, 3], ["a", "a", "b", "a"]))
    assert feed(entry(distinct="complainant"), [0, 1, 2], ["a", "", ""])[-1] is not None


@pytest.mark.parametrize("seed", range(20))
def test_order_of_arrival_does_not_change_who_is_in_a_group(seed: int) -> None:
    chance = random.Random(seed)
    minutes = [chance.uniform(0, 240) for _ in range(40)]
    rule = entry(window="30m", threshold=4)

    def members(order: list[int]) -> set[int]:
        tally: GroupCounter = GroupCounter()
        for place in order:
            tally, _ = count_case(tally, Occurrence(START + timedelta(minutes=minutes[place]), str(place)), rule)
        return {int(m.case) for m in tally.marks if m.group}

    brute = {
        i
        for first in minutes
        for window_ in [[j for j, m in enumerate(minutes) if first <= m <= first + 30]]
        if len(window_) >= 4
        for i in window_
    }
    shuffled = list(range(40))
    chance.shuffle(shuffled)
    assert members(shuffled) == members(list(range(40))) == brute


def test_leaving_dissolves_a_group_that_becomes_too_small() -> None:
    tally = GroupCounter()
    for minute in range(4):
        tally, _ = count_case(tally, Occurrence(START + timedelta(minutes=minute), f"c{minute}"), entry())
    tally, first = remove_case(tally, "c1", entry())
    assert first == GroupLeft("burst/c2", dissolved=False, members=("c0", "c2", "c3"))
    tally, second = remove_case(tally, "c2", entry())
    assert second == GroupLeft("burst/c2", dissolved=True, members=("c0", "c3"))
    assert not tally.open_group
    assert not any(m.group for m in tally.marks)


def test_a_window_of_working_time_is_refused() -> None:
    with pytest.raises(ValueError, match="clock time or days"):
        window_length(entry(window="3wh"))
