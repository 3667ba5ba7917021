"""Groups of cases: windows, thresholds, people, and cases that join or leave a group."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.triage.domain.groups.group_counting import (
    Group,
    GroupChanges,
    GroupCounter,
    Occurrence,
    count_case,
    remove_case,
    window_length,
)
from services.triage.domain.groups.people import PersonKeys
from shared.procedures.model.triage.entries import CountEntry
from tests.unit.triage.conftest import START


def count_entry(**changes: Any) -> CountEntry:
    return CountEntry.model_validate({"id": "burst", "key": "'x'", "threshold": 3, "does": {}} | changes)


def count_cases(entry: CountEntry, minutes: Sequence[float], complainants: Sequence[PersonKeys] = ()) -> list[GroupChanges]:
    counter, results = GroupCounter(), []
    for index, minute in enumerate(minutes):
        occurrence = Occurrence(START + timedelta(minutes=minute), f"c{index}", complainants[index] if complainants else ())
        counter, changes = count_case(counter, occurrence, entry)
        results.append(changes)
    return results


def test_case_that_reaches_the_threshold_completes_the_group() -> None:
    first, second, third = count_cases(count_entry(), [0, 1, 2])
    assert (first, second) == (GroupChanges(), GroupChanges())
    group = Group("burst/c2", ("c0", "c1", "c2"))
    assert third == GroupChanges(found=(group,), joined=(("c0", group), ("c1", group), ("c2", group)))


def test_later_cases_join_the_existing_group() -> None:
    groups = [changes for changes in count_cases(count_entry(), [0, 1, 2, 3, 4]) if changes.joined]
    assert [len(changes.found) for changes in groups] == [1, 0, 0]
    assert [[case for case, _ in changes.joined] for changes in groups][1:] == [["c3"], ["c4"]]


@pytest.mark.parametrize(("minutes", "grouped"), [([0, 15, 30], 3), ([0, 15, 30.01], 0), ([0, 29, 31, 58], 3), ([30, 0, 15], 3)])
def test_window_spans_the_first_to_the_last_case(minutes: list[float], grouped: int) -> None:
    assert sum(len(changes.joined) for changes in count_cases(count_entry(window="30m"), minutes)) == grouped


def test_late_case_completes_a_window_without_cases_outside_it() -> None:
    *_, last = count_cases(count_entry(window="30m"), [0, 100, 110, 200, 105])
    assert [group.members for group in last.found] == [("c1", "c4", "c2")]


def test_case_in_an_overlapping_window_joins_the_existing_group() -> None:
    results = count_cases(count_entry(window="30m"), [0, 10, 20, 40, 41])
    assert [[case for case, _ in changes.joined] for changes in results[3:]] == [["c3"], ["c4"]]
    assert {group.id for changes in results for _, group in changes.joined} == {"burst/c2"}


def test_anonymous_complainants_count_individually() -> None:
    a, b = ("phone:a",), ("phone:b",)
    assert not any(changes.found for changes in count_cases(count_entry(distinct="complainant"), [0, 1, 2, 3], [a, a, b, a]))
    assert count_cases(count_entry(distinct="complainant"), [0, 1, 2], [a, (), ()])[-1].found


def test_who_shows_two_people_to_be_one_dissolves_their_group() -> None:
    people = [("phone:a",), ("email:b",), ("phone:c",), ("email:b", "phone:a")]
    *_, completed, bridged = count_cases(count_entry(distinct="complainant"), [0, 1, 2, 3], people)
    assert completed.found
    assert [group.id for group in bridged.dissolved] == ["burst/c2"]


def test_group_of_one_complainant_follows_a_chain_of_keys() -> None:
    people = [("phone:a",), ("email:b",), ("phone:c",), ("email:b", "phone:a"), ()]
    *_, bridged, unknown = count_cases(count_entry(same="complainant"), [0, 1, 2, 3, 4], people)
    assert [group.members for group in bridged.found] == [("c0", "c1", "c3")]
    assert unknown == GroupChanges()


def test_different_id_numbers_are_different_people_even_with_one_phone() -> None:
    people = [("id_number:1", "phone:a"), ("id_number:2", "phone:a"), ("id_number:3", "phone:a")]
    assert not any(changes.found for changes in count_cases(count_entry(same="complainant", threshold=2), [0, 1, 2], people))
    assert count_cases(count_entry(distinct="complainant"), [0, 1, 2], people)[-1].found


def test_two_groups_of_a_complainant_become_one_when_a_case_connects_them() -> None:
    people = [("phone:a",), ("phone:a",), ("email:b",), ("email:b",), ("email:b", "phone:a")]
    *_, connected = count_cases(count_entry(same="complainant", threshold=2), [0, 1, 2, 3, 4], people)
    assert [group.id for group in connected.dissolved] == ["burst/c3"]
    assert {(case, group.id) for case, group in connected.joined} == {(case, "burst/c1") for case in ("c2", "c3", "c4")}


KEYS = ("email:a", "email:b", "id_number:1", "id_number:2", "phone:x", "phone:y", "phone:z")
ENTRIES = [
    count_entry(),
    count_entry(window="30m"),
    count_entry(distinct="complainant"),
    count_entry(distinct="complainant", window="30m"),
    count_entry(same="complainant"),
    count_entry(same="complainant", window="30m", threshold=2),
]
complainants = st.sets(st.sampled_from(KEYS), max_size=3).map(lambda keys: tuple(sorted(keys)))
case_lists = st.lists(st.tuples(st.integers(0, 240), complainants), min_size=1, max_size=12, unique_by=lambda case: case[0])


def grouped_cases(entry: CountEntry, occurrences: Sequence[Occurrence], removed: Sequence[Occurrence] = ()) -> set[frozenset[str]]:
    """The groups after these cases have arrived, and after some of them have left again."""
    counter = GroupCounter()
    for occurrence in occurrences:
        counter, _ = count_case(counter, occurrence, entry)
    for occurrence in removed:
        counter, _ = remove_case(counter, occurrence.case, entry)
    if entry.window is not None:
        # Two groups that a later case connects in time keep their ids: their members are the same in any order.
        return {frozenset(o.case for o in counter.occurrences if o.group)} - {frozenset()}
    return {frozenset(o.case for o in counter.occurrences if o.group == group) for group in {o.group for o in counter.occurrences} - {""}}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.distinct}-{entry.same}-{entry.window}")
@given(cases=case_lists, data=st.data())
@settings(max_examples=150, deadline=None)
def test_two_orders_of_arrival_give_the_same_groups(entry: CountEntry, cases: list[tuple[int, PersonKeys]], data: st.DataObject) -> None:
    occurrences = [Occurrence(START + timedelta(minutes=minute), f"c{minute}", keys) for minute, keys in cases]
    shuffled = data.draw(st.permutations(occurrences))
    assert grouped_cases(entry, shuffled) == grouped_cases(entry, occurrences)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.distinct}-{entry.same}-{entry.window}")
@given(cases=case_lists, data=st.data())
@settings(max_examples=150, deadline=None)
def test_cases_that_left_change_no_group_of_the_others(entry: CountEntry, cases: list[tuple[int, PersonKeys]], data: st.DataObject) -> None:
    occurrences = [Occurrence(START + timedelta(minutes=minute), f"c{minute}", keys) for minute, keys in cases]
    removed = data.draw(st.lists(st.sampled_from(occurrences), unique=True))
    remaining = [occurrence for occurrence in occurrences if occurrence not in removed]
    assert grouped_cases(entry, occurrences, removed) == grouped_cases(entry, remaining)


def test_a_window_that_is_cut_off_far_from_the_new_case_counts_nobody_twice() -> None:
    entry = count_entry(distinct="complainant", window="30m")
    far: list[PersonKeys] = [(), ("email:a",), ("email:b",), ("email:a", "email:b")]
    cases = [*((minute, ()) for minute in (0, 1, 2)), *zip((65, 66, 90, 95), far, strict=True), (34, ())]
    occurrences = [Occurrence(START + timedelta(minutes=minute), f"c{minute}", keys) for minute, keys in cases]
    assert grouped_cases(entry, occurrences) == grouped_cases(entry, sorted(occurrences)) == {frozenset({"c0", "c1", "c2"})}


def test_two_groups_that_one_case_completes_have_ids_of_their_own() -> None:
    keys = [("email:a", "id_number:2"), ("email:a",), ("email:a", "id_number:1"), ("email:a",)]
    occurrences = [Occurrence(START + timedelta(minutes=minute), f"c{minute}", each) for minute, each in enumerate(keys)]
    assert grouped_cases(count_entry(same="complainant"), occurrences) == {frozenset({"c0", "c1", "c3"}), frozenset({"c2"})}


@pytest.mark.parametrize("seed", range(20))
def test_members_of_groups_are_those_of_full_windows(seed: int) -> None:
    chance = random.Random(seed)
    minutes = [chance.uniform(0, 240) for _ in range(40)]
    entry = count_entry(window="30m", threshold=4)

    def grouped(order: list[int]) -> set[int]:
        counter = GroupCounter()
        for index in order:
            counter, _ = count_case(counter, Occurrence(START + timedelta(minutes=minutes[index]), str(index)), entry)
        return {int(occurrence.case) for occurrence in counter.occurrences if occurrence.group}

    windows = [[index for index, minute in enumerate(minutes) if start <= minute <= start + 30] for start in minutes]
    by_brute_force = {index for window in windows if len(window) >= 4 for index in window}
    shuffled = list(range(40))
    chance.shuffle(shuffled)
    assert grouped(shuffled) == grouped(list(range(40))) == by_brute_force


def test_group_dissolves_below_the_threshold() -> None:
    counter = GroupCounter()
    for minute in range(4):
        counter, _ = count_case(counter, Occurrence(START + timedelta(minutes=minute), f"c{minute}"), count_entry())
    counter, changes = remove_case(counter, "c1", count_entry())
    assert changes == GroupChanges(left=(("c1", Group("burst/c2", ("c0", "c2", "c3"))),))
    counter, changes = remove_case(counter, "c2", count_entry())
    assert changes.dissolved == (Group("burst/c2", ("c0", "c3")),)
    assert [case for case, _ in changes.left] == ["c2", "c0", "c3"]
    assert not counter.open_group
    assert not any(occurrence.group for occurrence in counter.occurrences)


def test_window_of_working_time_is_rejected() -> None:
    with pytest.raises(ValueError, match="clock time or days"):
        window_length(count_entry(window="3wh"))
