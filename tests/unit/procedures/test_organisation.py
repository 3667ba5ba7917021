"""Who holds a role, however often it is asked."""

from datetime import UTC, datetime

from shared.procedures.organisation import Organisation

AWAY = datetime(2026, 9, 24, 12, tzinfo=UTC)
HERE = datetime(2026, 9, 26, 12, tzinfo=UTC)


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


def test_somebody_who_is_away_is_replaced_then_and_only_then() -> None:
    found = organisation()
    for _ in range(2):
        assert found.role_holders("supervisor", "repairs", HERE) == ("sun",)
        assert found.role_holders("supervisor", "repairs", AWAY) == ("li",)
        assert found.role_holders("assistant", "repairs", AWAY) == ("li",)


def test_whoever_is_never_away_is_left_out_all_the_same_when_accused() -> None:
    found = organisation()
    assert found.role_holders("owner", "repairs", HERE) == ("zhao",)
    assert found.role_holders("owner", "repairs", HERE, frozenset({"zhao"})) == ()


def test_a_copy_with_other_people_knows_those_alone() -> None:
    found = organisation()
    assert found.role_holders("assistant", "", HERE) == ("li", "sun")
    copied = found.model_copy(update={"people": [person for person in found.people if person.id != "li"]})
    assert copied.role_holders("assistant", "", HERE) == ("sun",)
    assert found.role_holders("assistant", "", HERE) == ("li", "sun")


def test_what_was_looked_up_is_no_part_of_the_data() -> None:
    found = organisation()
    before = found.model_dump_json()
    found.role_holders("assistant", "", HERE)
    assert found.model_dump_json() == before
    assert found == organisation()
