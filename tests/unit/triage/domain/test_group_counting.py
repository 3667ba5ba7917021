"""Groups of cases: windows, thresholds, people, and cases that join or leave a group."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.triage.domain.groups.counters import Group, GroupChanges, GroupCounter, Occurrence, is_counted_around, window_length
from services.triage.domain.groups.group_counting import count_case, recount_case, remove_case
from services.triage.domain.groups.people import PersonDirectory, PersonKeys
from shared.procedures.model.triage.entries import CountEntry
from tests.support.scenarios.counting_procedures import grouped_by_brute_force
from tests.support.scenarios.people_by_brute_force import people_by_brute_force
from tests.unit.triage.conftest import START


def count_entry(**changes: Any) -> CountEntry:
    return CountEntry.model_validate({"id": "burst", "key": "'x'", "threshold": 3, "does": {}} | changes)


class Counting:
    """A counter, and the people of its cases and of submissions elsewhere."""

    def __init__(self, entry: CountEntry) -> None:
        self.entry, self.counter, self.people = entry, GroupCounter(), PersonDirectory()

    def add(self, case: str, minute: float, keys: PersonKeys = ()) -> GroupChanges:
        self.meet(keys)
        person = self.people.person(keys) if self.entry.same or self.entry.counts_people else ""
        occurrence = Occurrence(START + timedelta(minutes=minute), case, person)
        self.counter, changes = count_case(self.counter, occurrence, self.entry, self.people)
        return changes

    def meet(self, keys: PersonKeys) -> list[GroupChanges]:
        """A submission on another matter, which may join people."""
        results = []
        for person in self.people.add(keys).changed:
            affected = [o.case for o in self.counter.occurrences if o.person and self.people.is_one_of(o.person, [person])]
            for case in affected if is_counted_around(self.entry) else affected[:1]:
                self.counter, changes = recount_case(self.counter, case, self.entry, self.people)
                results.append(changes)
        return results

    def remove(self, case: str) -> GroupChanges:
        self.counter, changes = remove_case(self.counter, case, self.entry, self.people)
        return changes


def count_cases(entry: CountEntry, minutes: Sequence[float], complainants: Sequence[PersonKeys] = ()) -> list[GroupChanges]:
    counting = Counting(entry)
    return [counting.add(f"c{index}", minute, complainants[index] if complainants else ()) for index, minute in enumerate(minutes)]


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
    counting = Counting(count_entry(distinct="complainant"))
    changes = [counting.add(f"c{index}", index, keys) for index, keys in enumerate([("phone:a",), ("email:b",), ("phone:c",)])]
    assert changes[-1].found
    [dissolved] = counting.meet(("email:b", "phone:a"))
    assert [group.id for group in dissolved.dissolved] == ["burst/c2"]
    assert not counting.add("c3", 3, ("email:b", "phone:a")).found
    assert counting.add("c4", 4).found


def test_group_of_one_complainant_follows_a_chain_of_keys() -> None:
    people = [("phone:a",), ("email:b",), ("phone:c",), ("email:b", "phone:a"), ()]
    *_, bridged, unknown = count_cases(count_entry(same="complainant"), [0, 1, 2, 3, 4], people)
    assert [group.members for group in bridged.found] == [("c0", "c1", "c3")]
    assert unknown == GroupChanges()


def test_chain_through_a_submission_on_another_matter_completes_a_group() -> None:
    counting = Counting(count_entry(same="complainant", threshold=2))
    assert counting.add("c0", 0, ("phone:a",)) == counting.add("c1", 1, ("email:b",)) == GroupChanges()
    [completed] = counting.meet(("email:b", "phone:a"))
    assert [group.members for group in completed.found] == [("c0", "c1")]


def test_different_id_numbers_are_different_people_even_with_one_phone() -> None:
    people = [("id_number:1", "phone:a"), ("id_number:2", "phone:a"), ("id_number:3", "phone:a")]
    assert not any(changes.found for changes in count_cases(count_entry(same="complainant", threshold=2), [0, 1, 2], people))
    assert count_cases(count_entry(distinct="complainant"), [0, 1, 2], people)[-1].found


def test_two_groups_of_a_complainant_become_one_when_a_case_connects_them() -> None:
    counting = Counting(count_entry(same="complainant", threshold=2))
    for index, keys in enumerate([("phone:a",), ("phone:a",), ("email:b",), ("email:b",)]):
        counting.add(f"c{index}", index, keys)
    [connected] = counting.meet(("email:b", "phone:a"))
    assert [group.id for group in connected.dissolved] == ["burst/c3"]
    assert {(case, group.id) for case, group in connected.joined} == {(case, "burst/c1") for case in ("c2", "c3")}
    assert [group.id for _, group in counting.add("c4", 4, ("email:b", "phone:a")).joined] == ["burst/c1"]


KEYS = ("email:a", "email:b", "id_number:1", "id_number:2", "phone:x", "phone:y", "phone:z")
ENTRIES = [
    count_entry(),
    count_entry(window="30m"),
    count_entry(distinct="complainant"),
    count_entry(distinct="complainant", window="30m"),
    count_entry(people=2, window="30m"),
    count_entry(same="complainant"),
    count_entry(same="complainant", window="30m", threshold=2),
]
complainants = st.sets(st.sampled_from(KEYS), max_size=3).map(lambda keys: tuple(sorted(keys)))


Submission = tuple[int, PersonKeys]
"""The minute of receipt, which names the case too, and the keys."""
case_lists = st.lists(st.tuples(st.integers(0, 240), complainants), min_size=1, max_size=12, unique_by=lambda case: case[0])


def grouped_cases(
    entry: CountEntry, submissions: Sequence[Submission], removed: Sequence[Submission] = (), met: Sequence[PersonKeys] = ()
) -> set[frozenset[str]]:
    """The groups after these cases have arrived, some of them have left again, and submissions on other matters were made."""
    counting = Counting(entry)
    for minute, keys in submissions:
        counting.add(f"c{minute}", minute, keys)
    for minute, _ in removed:
        counting.remove(f"c{minute}")
    for keys in met:
        counting.meet(keys)
    occurrences = counting.counter.occurrences
    if entry.window is not None:
        # Two groups that a later case connects in time keep their ids: their members are the same in any order.
        return {frozenset(o.case for o in occurrences if o.group)} - {frozenset()}
    return {frozenset(o.case for o in occurrences if o.group == group) for group in {o.group for o in occurrences} - {""}}


def cases_by_brute_force(entry: CountEntry, submissions: Sequence[Submission], met: Sequence[PersonKeys]) -> set[str]:
    """All cases in groups, from the whole set at once."""
    ordered = sorted(submissions)
    names = people_by_brute_force([keys for _, keys in ordered] + list(met))[: len(ordered)]
    counted = [(float(minute), of_case) for (minute, _), of_case in zip(ordered, names, strict=True)]
    return {f"c{ordered[index][0]}" for index in grouped_by_brute_force(entry, counted)}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.distinct}-{entry.people}-{entry.same}-{entry.window}")
@given(cases=case_lists, met=st.lists(complainants, max_size=3), data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_order_of_arrival_gives_the_groups_of_the_whole_set(
    entry: CountEntry, cases: list[Submission], met: list[PersonKeys], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(cases))
    found = grouped_cases(entry, shuffled, met=met)
    assert found == grouped_cases(entry, cases, met=met)
    assert set().union(*found) == cases_by_brute_force(entry, cases, met)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.distinct}-{entry.people}-{entry.same}-{entry.window}")
@given(cases=case_lists, data=st.data())
@settings(max_examples=150, deadline=None)
def test_cases_that_left_change_no_group_of_the_others(entry: CountEntry, cases: list[Submission], data: st.DataObject) -> None:
    removed = data.draw(st.lists(st.sampled_from(cases), unique=True))
    remaining = [case for case in cases if case not in removed]
    # Who left has told all the same which keys are one person's.
    assert grouped_cases(entry, cases, removed) == grouped_cases(entry, remaining, met=[keys for _, keys in removed])


def test_a_window_that_is_cut_off_far_from_the_new_case_counts_nobody_twice() -> None:
    entry = count_entry(distinct="complainant", window="30m")
    far: list[PersonKeys] = [(), ("email:a",), ("email:b",), ("email:a", "email:b")]
    cases = [*((minute, ()) for minute in (0, 1, 2)), *zip((65, 66, 90, 95), far, strict=True), (34, ())]
    assert grouped_cases(entry, cases) == grouped_cases(entry, sorted(cases)) == {frozenset({"c0", "c1", "c2"})}


def test_two_groups_that_one_case_completes_have_ids_of_their_own() -> None:
    keys = [("email:a", "id_number:2"), ("email:a",), ("email:a", "id_number:1"), ("email:a",)]
    assert grouped_cases(count_entry(same="complainant"), list(enumerate(keys))) == {frozenset({"c0", "c1", "c3"}), frozenset({"c2"})}


@pytest.mark.parametrize("seed", range(20))
def test_members_of_groups_are_those_of_full_windows(seed: int) -> None:
    chance = random.Random(seed)
    minutes = [chance.uniform(0, 240) for _ in range(40)]
    entry = count_entry(window="30m", threshold=4)

    def grouped(order: list[int]) -> set[int]:
        counting = Counting(entry)
        for index in order:
            counting.add(str(index), minutes[index])
        return {int(occurrence.case) for occurrence in counting.counter.occurrences if occurrence.group}

    windows = [[index for index, minute in enumerate(minutes) if start <= minute <= start + 30] for start in minutes]
    by_brute_force = {index for window in windows if len(window) >= 4 for index in window}
    shuffled = list(range(40))
    chance.shuffle(shuffled)
    assert grouped(shuffled) == grouped(list(range(40))) == by_brute_force


def test_group_dissolves_below_the_threshold() -> None:
    counting = Counting(count_entry())
    for minute in range(4):
        counting.add(f"c{minute}", minute)
    assert counting.remove("c1") == GroupChanges(left=(("c1", Group("burst/c2", ("c0", "c2", "c3"))),))
    changes = counting.remove("c2")
    assert changes.dissolved == (Group("burst/c2", ("c0", "c3")),)
    assert [case for case, _ in changes.left] == ["c2", "c0", "c3"]
    assert not counting.counter.open_group
    assert not any(occurrence.group for occurrence in counting.counter.occurrences)


def test_window_of_working_time_is_rejected() -> None:
    with pytest.raises(ValueError, match="clock time or days"):
        window_length(count_entry(window="3wh"))


def test_four_cases_of_one_person_are_no_event_and_one_of_another_makes_them_one() -> None:
    entry = count_entry(threshold=4, people=2, window="30m")
    same = [("phone:x",)] * 5
    assert not any(changes.found for changes in count_cases(entry, range(5), same))
    assert [bool(changes.found) for changes in count_cases(entry, range(4), [*same[:3], ("phone:y",)])] == [False, False, False, True]
    assert not any(changes.found for changes in count_cases(entry, range(3), [("phone:x",), ("phone:y",), ("phone:z",)]))


@pytest.mark.parametrize("changes", [{"distinct": "complainant", "window": "1h"}, {"same": "complainant", "window": "1h"}, {}])
def test_people_stands_beside_a_window_alone(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="people"):
        count_entry(people=2, **changes)
