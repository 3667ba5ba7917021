"""Who is the same person: shared phone, e-mail or id_number, directly or through a chain of others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.triage.domain.groups.people import PersonKeys, connected, count_people, people


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
    assert connected(("phone:1",), chain) == {"phone:1", "email:1", "phone:2"}


def test_different_id_numbers_are_different_people_whatever_else_agrees() -> None:
    assert not same(0, 1, ("email:1", "id_number:1", "phone:1"), ("email:1", "id_number:2", "phone:1"))


def test_who_uses_the_phone_of_two_people_may_be_either_and_counts_as_no_third() -> None:
    family = [("id_number:1", "phone:1"), ("id_number:2", "phone:1"), ("phone:1",)]
    assert same(0, 2, *family)
    assert same(1, 2, *family)
    assert count_people(family) == 2
    assert count_people(family[1:]) == 1
    assert count_people(family[2:]) == 1


def test_submission_without_a_key_is_a_person_of_its_own() -> None:
    assert count_people([(), (), ("phone:1",)]) == 3


def test_long_chain_takes_no_recursion() -> None:
    chain = [tuple(sorted((f"phone:{number}", f"phone:{number + 1}"))) for number in range(5000)]
    assert count_people(chain) == 1


_keys = st.sets(st.sampled_from(["email:a", "email:b", "id_number:1", "id_number:2", "phone:x", "phone:y"]), max_size=3)
_submissions = st.lists(_keys.map(lambda keys: tuple(sorted(keys))), max_size=8)


@given(submissions=_submissions, data=st.data())
def test_people_do_not_depend_on_the_order_of_arrival(submissions: list[PersonKeys], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(submissions))
    assert count_people(shuffled) == count_people(submissions)
    assert sorted(map(sorted, people(shuffled))) == sorted(map(sorted, people(submissions)))
