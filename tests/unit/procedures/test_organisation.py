"""Holders of a role, with absences, substitutes and accused persons."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from shared.procedures.organisation import Organisation

ABSENT = datetime(2026, 9, 24, 12, tzinfo=UTC)
PRESENT = datetime(2026, 9, 26, 12, tzinfo=UTC)


def organisation() -> Organisation:
    absent = [{"from": "2026-09-24T00:00:00Z", "to": "2026-09-25T00:00:00Z"}]
    return Organisation.model_validate(
        {
            "id": "test",
            "departments": [{"id": "repairs", "head": "zhao"}],
            "people": [
                {"id": "li", "name": "李", "roles": ["assistant"]},
                {"id": "sun", "name": "孙", "roles": ["assistant", "supervisor"], "absent": absent, "substitute": "li"},
                {"id": "zhao", "department": "repairs"},
            ],
        }
    )


def test_a_substitute_replaces_an_absent_person_during_the_absence_only() -> None:
    company = organisation()
    for _ in range(2):
        assert company.role_holders("supervisor", "repairs", PRESENT) == ("sun",)
        assert company.role_holders("supervisor", "repairs", ABSENT) == ("li",)
        assert company.role_holders("assistant", "repairs", ABSENT) == ("li",)


def test_an_accused_person_is_left_out() -> None:
    company = organisation()
    assert company.role_holders("owner", "repairs", PRESENT) == ("zhao",)
    assert company.role_holders("owner", "repairs", PRESENT, frozenset({"zhao"})) == ()


def test_a_copy_with_other_people_builds_a_new_index() -> None:
    company = organisation()
    assert company.role_holders("assistant", "", PRESENT) == ("li", "sun")
    copied = company.model_copy(update={"people": [person for person in company.people if person.id != "li"]})
    assert copied.role_holders("assistant", "", PRESENT) == ("sun",)
    assert company.role_holders("assistant", "", PRESENT) == ("li", "sun")


@pytest.mark.parametrize("parents", [{"a": "a"}, {"a": "b", "b": "c", "c": "b"}])
def test_a_circle_of_departments_is_an_error(parents: dict[str, str]) -> None:
    departments = [{"id": department, "parent": parent} for department, parent in parents.items()]
    with pytest.raises(ValidationError, match="is above itself; correct the parents"):
        Organisation.model_validate({"id": "test", "departments": departments})


def test_a_role_is_searched_in_the_department_then_in_its_parents_then_without_department() -> None:
    company = Organisation.model_validate(
        {
            "id": "test",
            "departments": [{"id": "estate"}, {"id": "repairs", "parent": "estate"}],
            "people": [
                {"id": "li", "roles": ["assistant"], "department": "estate"},
                {"id": "sun", "roles": ["manager"]},
                {"id": "zhao", "roles": ["engineer"], "department": "repairs"},
            ],
        }
    )
    assert company.role_holders("engineer", "repairs", PRESENT) == ("zhao",)
    assert company.role_holders("assistant", "repairs", PRESENT) == ("li",)
    assert company.role_holders("manager", "repairs", PRESENT) == ("sun",)
    assert company.role_holders("engineer", "estate", PRESENT) == ()
    assert company.role_holders("engineer", "", PRESENT) == ("zhao",)


def test_the_index_is_not_part_of_the_data() -> None:
    company = organisation()
    before = company.model_dump_json()
    company.role_holders("assistant", "", PRESENT)
    assert company.model_dump_json() == before
    assert company == organisation()
