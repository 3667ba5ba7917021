"""Groups of cases: windows, thresholds, distinct complainants, and cases that join or leave a group."""

import random
from datetime import timedelta
from typing import Any

import pytest

from services.triage.domain.group_counting import GroupCounter, GroupJoined, GroupLeft, Occurrence, count_case, remove_case, window_length
from shared.procedures.model.procedure import CountEntry
from tests.unit.triage.conftest import START


def count_entry(**changes: Any) -> CountEntry:
    return CountEntry.model_validate({"id": "burst", "key": "'x'", "threshold": 3, "does": {}} | changes)


def count_cases(entry: CountEntry, minutes: list[float], complainants: list[str] | None = None) -> list[GroupJoined | None]:
    counter, results = GroupCounter(), []
    for index, minute in enumerate(minutes):
        occurrence = Occurrence(START + timedelta(minutes=minute), f"c{index}", complainants[index] if complainants else "")
        counter, joined = count_case(counter, occurrence, entry)
        results.append(joined)
    return results


def test_case_that_reaches_the_threshold_completes_the_group() -> None:
    first, second, third = count_cases(count_entry(), [0, 1, 2])
    assert (first, second) == (None, None)
    assert third == GroupJoined("burst/c2", new=True, joined=("c0", "c1", "c2"), members=("c0", "c1", "c2"))


def test_later_cases_join_the_existing_group() -> None:
    groups = [joined for joined in count_cases(count_entry(), [0, 1, 2, 3, 4]) if joined]
    assert [group.new for group in groups] == [True, False, False]
    assert [group.joined for group in groups][1:] == [("c3",), ("c4",)]


@pytest.mark.parametrize(("minutes", "grouped"), [([0, 15, 30], 3), ([0, 15, 30.01], 0), ([0, 29, 31, 58], 3), ([30, 0, 15], 3)])
def test_window_spans_the_first_to_the_last_case(minutes: list[float], grouped: int) -> None:
    groups = [joined for joined in count_cases(count_entry(window="30m"), minutes) if joined]
    assert sum(len(group.joined) for group in groups) == grouped


def test_late_case_completes_a_window_without_cases_outside_it() -> None:
    *_, last = count_cases(count_entry(window="30m"), [0, 100, 110, 200, 105])
    assert last is not None
    assert last.members == ("c1", "c4", "c2")


def test_case_in_an_overlapping_window_joins_the_existing_group() -> None:
    results = count_cases(count_entry(window="30m"), [0, 10, 20, 40, 41])
    assert [joined.joined if joined else None for joined in results[3:]] == [("c3",), ("c4",)]
    assert {joined.group for joined in results if joined} == {"burst/c2"}


def test_anonymous_complainants_count_individually() -> None:
    assert not any(count_cases(count_entry(distinct="complainant"), [0, 1, 2, 3], ["a", "a", "b", "a"]))
    assert count_cases(count_entry(distinct="complainant"), [0, 1, 2], ["a", "", ""])[-1] is not None


@pytest.mark.parametrize("seed", range(20))
def test_members_of_groups_do_not_depend_on_the_order_of_arrival(seed: int) -> None:
    chance = random.Random(seed)
    minutes = [chance.uniform(0, 240) for _ in range(40)]
    entry = count_entry(window="30m", threshold=4)

    def grouped_cases(order: list[int]) -> set[int]:
        counter = GroupCounter()
        for index in order:
            counter, _ = count_case(counter, Occurrence(START + timedelta(minutes=minutes[index]), str(index)), entry)
        return {int(occurrence.case) for occurrence in counter.occurrences if occurrence.group}

    windows = [[index for index, minute in enumerate(minutes) if start <= minute <= start + 30] for start in minutes]
    by_brute_force = {index for window in windows if len(window) >= 4 for index in window}
    shuffled = list(range(40))
    chance.shuffle(shuffled)
    assert grouped_cases(shuffled) == grouped_cases(list(range(40))) == by_brute_force


def test_group_dissolves_below_the_threshold() -> None:
    counter = GroupCounter()
    for minute in range(4):
        counter, _ = count_case(counter, Occurrence(START + timedelta(minutes=minute), f"c{minute}"), count_entry())
    counter, left = remove_case(counter, "c1", count_entry())
    assert left == GroupLeft("burst/c2", dissolved=False, members=("c0", "c2", "c3"))
    counter, left = remove_case(counter, "c2", count_entry())
    assert left == GroupLeft("burst/c2", dissolved=True, members=("c0", "c3"))
    assert not counter.open_group
    assert not any(occurrence.group for occurrence in counter.occurrences)


def test_window_of_working_time_is_rejected() -> None:
    with pytest.raises(ValueError, match="clock time or days"):
        window_length(count_entry(window="3wh"))
