"""Hints follow what a person's roles, rights and place in the line let him do, whatever the roles are called."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.desk.domain.hints import HintChooser
from shared.procedures.loading.loader import load_procedure
from shared.procedures.organisation import Organisation

NOW = datetime(2026, 9, 24, 8, 0, tzinfo=UTC)
LINE = {"schalter": "leitung", "leitung": "vorstand"}
PEOPLE: list[dict[str, Any]] = [
    {"id": "clerk", "roles": ["schalter"]},
    {"id": "head", "roles": []},
    {"id": "lead", "roles": ["leitung"]},
    {"id": "both", "roles": ["schalter", "leitung"]},
    {"id": "board", "roles": ["vorstand"], "may": ["what_if"]},
    {"id": "finder", "roles": ["schalter"], "may": ["find_by_phone"]},
    {"id": "assistant", "roles": ["assistant"]},
    {"id": "supervisor", "roles": ["supervisor"]},
    {"id": "guest", "roles": []},
]
PROCEDURES = {"hunan-property": load_procedure("hunan-property")}


def names(person: str, *, takes_complaints: bool = False, decides: bool = True, **changes: Any) -> list[str]:
    organisation = Organisation.model_validate(
        {"id": "x", "people": PEOPLE, "departments": [{"id": "d", "head": "head"}], "line": LINE} | changes
    )
    found = organisation.person(person)
    assert found is not None
    chooser = HintChooser(organisation, PROCEDURES)
    return [hint.name for hint in chooser.hints(found, NOW, takes_complaints=takes_complaints, decides=decides)]


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        ("clerk", ["own_cases", "reviews", "regulations"]),
        ("head", ["own_cases", "reviews", "escalations"]),
        ("lead", ["reviews", "escalations", "unassigned"]),
        ("both", ["own_cases", "reviews", "escalations", "unassigned"]),
        ("board", ["figures", "escalations", "what_if", "wallboard"]),
        ("finder", ["own_cases", "reviews", "find_complainant"]),
        ("assistant", ["own_cases", "reviews", "own_actions"]),
        ("supervisor", ["own_cases", "reviews", "own_actions", "reports"]),
    ],
)
def test_hints_of_each_role(person: str, expected: list[str]) -> None:
    assert names(person) == expected


def test_registrar_is_shown_the_registration_first() -> None:
    assert names("both", takes_complaints=True) == ["take_complaint", "own_cases", "reviews", "escalations", "unassigned"]


def test_person_who_only_looks_on_gets_the_pages_that_everybody_opens() -> None:
    assert names("guest", decides=False) == ["regulations", "organisation", "calculator"]


def test_no_hint_names_a_right_that_the_person_lacks() -> None:
    assert {"what_if", "find_complainant", "take_complaint"}.isdisjoint(
        name for person in ("clerk", "lead", "guest") for name in names(person)
    )
    assert "reviews" not in names("lead", decides=False)


def test_substitute_gets_the_hints_of_the_absent_person() -> None:
    absence = {"from": "2026-09-24T00:00:00Z", "to": "2026-09-25T00:00:00Z"}
    people = [{"id": "away", "roles": ["leitung"], "substitute": "guest", "absent": [absence]}, {"id": "guest", "roles": []}]
    assert names("guest", people=people, departments=[]) == ["reviews", "escalations", "unassigned"]


def test_reserved_actions_are_named_with_their_regulation() -> None:
    organisation = Organisation.model_validate({"id": "x", "people": [{"id": "s", "roles": ["supervisor"]}]})
    hints = HintChooser(organisation, PROCEDURES).hints(organisation.people[0], NOW, takes_complaints=False, decides=True)
    (own,) = (hint for hint in hints if hint.name == "own_actions")
    assert (own.procedure, own.actions) == ("hunan-property", ("call_back", "publish_notice"))


def test_trial_is_that_of_a_regulation_that_names_the_role() -> None:
    procedures = {name: load_procedure(name) for name in ("greentown-qd1001", "hunan-property")}
    organisation = Organisation.model_validate(
        {"id": "x", "people": [{"id": role, "roles": [role], "may": ["what_if"]} for role in ("management", "elsewhere")]}
    )
    chooser = HintChooser(organisation, procedures)
    chosen = {
        person.id: hint.procedure
        for person in organisation.people
        for hint in chooser.hints(person, NOW, takes_complaints=False, decides=True)
        if hint.name == "what_if"
    }
    assert chosen == {"management": "hunan-property", "elsewhere": "greentown-qd1001"}


def test_circle_of_roles_has_ranks() -> None:
    assert names("clerk", line={"schalter": "leitung", "leitung": "schalter"})
