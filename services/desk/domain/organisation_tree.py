"""The organisation as a tree: departments with their people, vacancies and absences, and who a message to a role would reach."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.procedures.organisation import Department, Organisation, Person


@dataclass(frozen=True, slots=True)
class Presence:
    """A person at an instant: `absent_until` where he is absent, and the person who then holds his roles (None: no one)."""

    person: Person
    absent_until: datetime | None
    substitute: Person | None


@dataclass(frozen=True, slots=True)
class DepartmentNode:
    """A department with its people and the departments below; the department is None for people who have none."""

    department: Department | None
    head: Presence | None
    people: tuple[Presence, ...]
    below: tuple[DepartmentNode, ...]


@dataclass(frozen=True, slots=True)
class RoleReach:
    """Whom a message to a role reaches; `above` are the vacant roles that it climbs over, empty where the role is held."""

    role: str
    persons: tuple[Person, ...]
    over: tuple[str, ...]
    is_fallback: bool = False

    @property
    def is_vacant(self) -> bool:
        """Whether no present person holds the role itself."""
        return bool(self.over) or not self.persons


def organisation_tree(organisation: Organisation, at: datetime) -> list[DepartmentNode]:
    """The departments without a parent, then people without a department."""
    children: dict[str | None, list[Department]] = {}
    for department in organisation.departments:
        children.setdefault(department.parent, []).append(department)
    nodes = [_node(organisation, department, children, at) for department in children.get(None, [])]
    others = _presences(organisation, (person for person in organisation.people if person.department is None), at)
    return [*nodes, DepartmentNode(None, None, others, ())] if others else nodes


def role_reaches(organisation: Organisation, roles: Iterable[str], department: str, at: datetime) -> list[RoleReach]:
    """For each role, who would be reached for a case of the department at an instant."""
    return [_reach(organisation, role, department, at) for role in roles]


def _reach(organisation: Organisation, role: str, department: str, at: datetime) -> RoleReach:
    over: list[str] = []
    rung: str | None = role
    while rung is not None and rung not in over:
        holders = organisation.role_holders(rung, department, at)
        people = [person for person in map(organisation.person, holders) if person is not None]
        if people:
            return RoleReach(role, tuple(people), tuple(over))
        over.append(rung)
        rung = organisation.role_above(rung)
    fallback = organisation.person(organisation.fallback) if organisation.fallback else None
    return RoleReach(role, (fallback,) if fallback else (), tuple(over), is_fallback=fallback is not None)


def _node(organisation: Organisation, department: Department, children: dict[str | None, list[Department]], at: datetime) -> DepartmentNode:
    head = organisation.person(department.head) if department.head else None
    return DepartmentNode(
        department,
        None if head is None else _presence(organisation, head, at),
        _presences(organisation, (person for person in organisation.people if person.department == department.id), at),
        tuple(_node(organisation, child, children, at) for child in children.get(department.id, [])),
    )


def _presences(organisation: Organisation, people: Iterable[Person], at: datetime) -> tuple[Presence, ...]:
    return tuple(_presence(organisation, person, at) for person in people)


def _presence(organisation: Organisation, person: Person, at: datetime) -> Presence:
    until = max((absence.to for absence in person.absent if absence.from_ <= at < absence.to), default=None)
    if until is None:
        return Presence(person, None, None)
    substitute = organisation.present_substitute(person.id, at, frozenset())
    return Presence(person, until, organisation.person(substitute) if substitute else None)
