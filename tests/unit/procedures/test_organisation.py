"""Holders of a role, with absences, substitutes and accused persons."""

from datetime import UTC, datetime

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


def test_a_copy_with_other_people_has_an_index_of_its_own() -> None:
    company = organisation()
    assert company.role_holders("assistant", "", PRESENT) == ("li", "sun")
    copied = company.model_copy(update={"people": [person for person in company.people if person.id != "li"]})
    assert copied.role_holders("assistant", "", PRESENT) == ("sun",)
    assert company.role_holders("assistant", "", PRESENT) == ("li", "sun")


def test_the_index_is_not_part_of_the_data() -> None:
    company = organisation()
    before = company.model_dump_json()
    company.role_holders("assistant", "", PRESENT)
    assert company.model_dump_json() == before
    assert company == organisation()
