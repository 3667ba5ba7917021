"""Who is the same person: shared phone, e-mail or id_number, directly or through a chain of others."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.triage.domain.groups.people import PersonDirectory, PersonKeys, connected, count_people
from tests.support.scenarios.people_by_brute_force import people_by_brute_force


def people(submissions: Sequence[PersonKeys]) -> list[frozenset[str]]:
    directory = PersonDirectory()
    for keys in submissions:
        directory.add(keys)
    return [directory.names(directory.person(keys)) for keys in submissions]


def same(first: int, second: int, *submissions: PersonKeys) -> bool:
    names = people(submissions)
    return not names[first].isdisjoint(names[second])


@pytest.mark.parametrize("key", ["phone:1", "email:1", "id_number:1"])
def test_two_submissions_that_share_a_key_come_from_the_same_person(key: str) -> None:
    assert same(0, 1, (key,), tuple(sorted((key, "phone:other"))))


def test_a_chain_of_others_connects_two_submissions_whatever_the_order() -> None:
    chain = [("phone:1",), ("email:1", "phone:1"), ("email:1", "phone:2"), ("phone:2",)]
    assert same(0, 3, *chain)
    assert same(1, 2, chain[2], chain[0], chain[3], chain[1])


def test_different_id_numbers_are_different_people_whatever_else_agrees() -> None:
    assert not same(0, 1, ("email:1", "id_number:1", "phone:1"), ("email:1", "id_number:2", "phone:1"))


def test_who_uses_the_phone_of_two_people_may_be_either_and_counts_as_no_third() -> None:
    family = [("id_number:1", "phone:1"), ("id_number:2", "phone:1"), ("phone:1",)]
    assert same(0, 2, *family)
    assert same(1, 2, *family)
    assert count_people(people(family)) == 2
    assert count_people(people(family[1:])) == 1
    assert count_people(people(family[2:])) == 1


def test_names_are_connected_through_a_submission_that_may_be_of_either() -> None:
    either, others = frozenset({"a", "b"}), [frozenset({"b", "c"}), frozenset({"d"}), frozenset[str]()]
    assert connected(frozenset({"a"}), [either, *others]) == {"a", "b", "c"}


def test_submission_without_a_key_is_a_person_of_its_own() -> None:
    assert count_people(people([(), (), ("phone:1",)])) == 3


def test_a_chain_of_5000_keys_takes_no_recursion() -> None:
    chain = [tuple(sorted((f"phone:{number}", f"phone:{number + 1}"))) for number in range(5000)]
    ends = [*chain[::2], *chain[1::2]]
    assert count_people(people(ends)) == 1


def test_only_who_turns_out_to_be_another_person_changes_earlier_counts() -> None:
    directory = PersonDirectory()
    assert directory.add(("phone:1",)).changed == []
    assert directory.add(("email:1", "phone:1")).changed == []
    assert directory.add(("email:2",)).changed == []
    joined = directory.add(("email:2", "phone:1"))
    assert joined.changed == [joined.joins[0][1]]
    assert directory.add(("email:2", "phone:1")) == directory.add(("phone:1",)), "known before: nothing is new"
    owned = directory.add(("id_number:1", "phone:1"))
    assert (owned.owners, owned.changed) == ([(joined.changed[0], "id_number:1")], joined.changed)
    assert directory.add(("id_number:2", "phone:new")).changed == [], "nobody has used this phone before"


_keys = st.sets(st.sampled_from(["email:a", "email:b", "id_number:1", "phone:x", "phone:y", "phone:z"]), max_size=3)
_with_two_numbers = st.one_of(_keys, _keys.map(lambda keys: {"id_number:2" if key == "id_number:1" else key for key in keys}))
_submissions = st.lists(_with_two_numbers.map(lambda keys: tuple(sorted(keys))), max_size=10)


@given(submissions=_submissions, data=st.data())
def test_any_order_of_arrival_tells_the_people_of_the_whole_set_apart(submissions: list[PersonKeys], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(submissions))
    expected = people_by_brute_force(shuffled)
    found = people(shuffled)

    def pairs(names: list[frozenset[str]]) -> list[bool]:
        return [not one.isdisjoint(other) for one in names for other in names]

    assert pairs(found) == pairs(expected)
    assert [len(names) for names in found] == [len(names) for names in expected]
    assert count_people(found) == count_people(people(submissions))


def test_names_follow_what_is_learnt_after_they_were_asked_for() -> None:
    people = PersonDirectory()
    people.add(("phone:1",))
    people.add(("phone:2",))
    assert people.names("phone:2") == {"phone:2"}
    people.add(("phone:1", "phone:2"))
    assert people.names("phone:2") == {"phone:1"}
    people.add(("id_number:9", "phone:2"))
    assert people.names("phone:2") == {"id_number:9"}
    people.learn({"phone:1": "email:0"}, [("email:0", "id_number:7")])
    assert people.names("phone:1") == {"id_number:7"}
