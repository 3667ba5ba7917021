"""The people who have no part in a case because the complaint is about them, or about somebody to whom they report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from shared.procedures.organisation import Department, Organisation, Person


def excluded_people(organisation: Organisation, against: Iterable[str]) -> frozenset[str]:
    """The ids of the people whom `against` names by id, or by a name that only one person has, and of those who report to them."""
    named = frozenset(against)
    if organisation.everyone:  # each role is held by a person of the same name
        return named
    accused = [person for person in organisation.people if person.id in named or _has_unique_name(organisation, person, named)]
    # They would have to judge the person who judges them.
    reporting = {person.id for chief in accused for person in organisation.people if _reports_to(organisation, person, chief)}
    return frozenset({person.id for person in accused} | reporting)


def names_that_exclude(organisation: Organisation, person_id: str) -> frozenset[str]:
    """The ids and names in `against` that exclude the person: the person's own, and those of the people to whom they report."""
    person = organisation.person(person_id)
    if organisation.everyone or person is None:
        return frozenset({person_id})
    bearers = Counter(other.name for other in organisation.people)
    chiefs = [other for other in organisation.people if other.id == person_id or _reports_to(organisation, person, other)]
    return frozenset({chief.id for chief in chiefs} | {chief.name for chief in chiefs if chief.name and bearers[chief.name] == 1})


def _has_unique_name(organisation: Organisation, person: Person, named: frozenset[str]) -> bool:
    return person.name in named and sum(other.name == person.name for other in organisation.people) == 1


def _reports_to(organisation: Organisation, person: Person, chief: Person) -> bool:
    """Whether the chief heads the person's department or one above it, or holds a role above the person's in the same part."""
    if person.id == chief.id or _is_below(organisation, chief, person):
        return False
    return _is_below(organisation, person, chief)


def _is_below(organisation: Organisation, person: Person, chief: Person) -> bool:
    units = _units(organisation, person)
    if any(unit.head == chief.id for unit in units):
        return True
    if chief.department is not None and chief.department not in {unit.id for unit in units}:
        return False
    above = {role for own in person.roles for role in _roles_above(organisation, own)}
    return bool(above & set(chief.roles))


def _units(organisation: Organisation, person: Person) -> list[Department]:
    """The person's department and those above it."""
    units = []
    unit = organisation.department(person.department) if person.department else None
    while unit is not None:
        units.append(unit)
        unit = organisation.department(unit.parent) if unit.parent else None
    return units


def _roles_above(organisation: Organisation, role: str) -> set[str]:
    above: set[str] = set()
    next_role = organisation.role_above(role)
    while next_role is not None and next_role not in above:
        above.add(next_role)
        next_role = organisation.role_above(next_role)
    return above
