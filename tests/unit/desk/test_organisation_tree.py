"""Vacancies, absences and who a message to a role would reach."""

from datetime import datetime

from services.desk.domain.organisation_tree import organisation_tree, role_reaches
from shared.procedures.organisation import Organisation

ABSENT = [{"from": "2026-10-01T00:00:00+08:00", "to": "2026-10-08T00:00:00+08:00"}]
ORGANISATION = Organisation.model_validate(
    {
        "id": "estate",
        "departments": [{"id": "lifts", "head": "he"}, {"id": "cabins", "parent": "lifts"}, {"id": "water"}],
        "people": [
            {"id": "he", "department": "lifts", "roles": ["handler"], "absent": ABSENT, "substitute": "wang"},
            {"id": "wang", "department": "cabins", "roles": ["supervisor"]},
            {"id": "sun", "roles": ["management"]},
            {"id": "alone", "department": "water", "roles": ["checker"], "absent": ABSENT},
        ],
        "line": {"clerk": "checker", "checker": "management"},
        "fallback": "sun",
    }
)
PRESENT, AWAY = (datetime.fromisoformat(f"2026-{day}T09:00:00+08:00") for day in ("09-30", "10-05"))


def test_departments_stand_below_their_parents_and_people_without_one_at_the_end() -> None:
    lifts, water, others = organisation_tree(ORGANISATION, PRESENT)
    assert [node.department and node.department.id for node in (lifts, water, others)] == ["lifts", "water", None]
    assert [node.department and node.department.id for node in lifts.below] == ["cabins"]
    assert lifts.head is not None
    assert lifts.head.absent_until is None
    assert water.head is None
    assert [each.person.id for each in others.people] == ["sun"]


def test_an_absence_names_its_end_and_the_substitute() -> None:
    lifts, water, _ = organisation_tree(ORGANISATION, AWAY)
    assert lifts.head is not None
    assert lifts.head.absent_until == ORGANISATION.people[0].absent[0].to
    assert lifts.head.substitute is not None
    assert lifts.head.substitute.id == "wang"
    assert water.people[0].substitute is None


def test_a_vacant_role_reaches_the_next_one_above_and_then_the_fallback() -> None:
    roles = ("handler", "checker", "clerk", "unknown")
    reached = {each.role: each for each in role_reaches(ORGANISATION, roles, "lifts", PRESENT)}
    assert [person.id for person in reached["handler"].persons] == ["he"]
    assert not reached["handler"].is_vacant
    assert ([person.id for person in reached["clerk"].persons], reached["clerk"].over) == (["sun"], ("clerk", "checker"))
    assert reached["unknown"].is_fallback
    away = {each.role: each for each in role_reaches(ORGANISATION, roles, "lifts", AWAY)}
    assert [person.id for person in away["handler"].persons] == ["wang"]


def test_without_a_fallback_nobody_is_reached() -> None:
    organisation = ORGANISATION.model_copy(update={"fallback": None})
    assert role_reaches(organisation, ["unknown"], "lifts", PRESENT)[0].persons == ()
