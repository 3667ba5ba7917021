"""An organisation: departments, roles, people, the line upward, calendars, addresses, and which source uses which procedure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Self

from pydantic import AwareDatetime, Field, model_validator

from shared.contracts.base import StrictModel
from shared.contracts.complaint import Channel
from shared.procedures.model.effects import RoleNames

_MAX_CACHED_HOLDERS = 10_000
"""Roles and departments that are remembered with those who are named for them: an action may name any."""


class Absence(StrictModel):
    """A person is away from `from` (inclusive) to `to` (exclusive)."""

    from_: AwareDatetime = Field(alias="from")
    to: AwareDatetime


class Person(StrictModel):
    """Somebody who holds roles, in a department or in the whole organisation.

    `token_sha256` is the hex SHA-256 of the person's API token, `keys` maps a key id to a base64 Ed25519 public key for signed actions.
    """

    id: str
    name: str = ""
    roles: list[str] = Field(default_factory=list)
    department: str | None = None
    email: str | None = None
    phone: str | None = None
    language: str = "zh"
    substitute: str | None = Field(default=None, description="who stands in while the person is absent")
    absent: list[Absence] = Field(default_factory=list)
    token_sha256: str | None = None
    keys: dict[str, str] = Field(default_factory=dict)

    def is_absent(self, at: datetime) -> bool:
        """Whether the person is away at that instant."""
        return any(away.from_ <= at < away.to for away in self.absent)


class Department(StrictModel):
    """A department; `head` is the person who acts as `owner` of the cases routed to it."""

    id: str
    zh: str = ""
    en: str = ""
    head: str | None = None
    parent: str | None = None
    calendar: str | None = None
    sees: list[str] = Field(default_factory=list, description="confidential fields that its topic shows all the same")


class OrganisationRoute(StrictModel):
    """Which department leads and which co-operate; the first entry whose condition holds wins."""

    when: str | None = None
    department: str
    cooperating: list[str] = Field(default_factory=list)
    because: str = ""


class ComplaintSource(StrictModel):
    """Where complaints come from: a contact centre, a mailbox, a system.

    `key_sha256` lists the hex SHA-256 of its API keys; `channels` limits what it may submit (none: any).
    """

    id: str
    procedure: str
    version: int | None = Field(default=None, description="none: the newest installed")
    parameters: dict[str, Any] = Field(default_factory=dict)
    channels: list[Channel] = Field(default_factory=list)
    key_sha256: list[str] = Field(default_factory=list)
    keys: dict[str, str] = Field(default_factory=dict, description="Ed25519 public keys (base64) by key id, for signed records")
    rate_per_second: float = Field(default=1000, gt=0)
    department: str | None = Field(default=None, description="where its cases go, whatever the routing says")


@dataclass(frozen=True, slots=True)
class _RoleHolders:
    """Who is named for a role, each once, and whether none of them is ever absent."""

    persons: tuple[str, ...]
    never_absent: bool


@dataclass(frozen=True, slots=True)
class _OrganisationIndex:
    """People and departments by id, and who is named for a role and a department's cases."""

    people: dict[str, Person]
    departments: dict[str, Department]
    holders: dict[tuple[str, str], _RoleHolders] = field(default_factory=dict)


class Organisation(StrictModel):
    """One organisation as data; roles that nobody holds are vacant."""

    id: str
    version: int = 1
    zh: str = ""
    en: str = ""
    calendar: str = "default"
    calendars: list[dict[str, Any]] = Field(default_factory=list, description="see the reference page on time")
    departments: list[Department] = Field(default_factory=list)
    people: list[Person] = Field(default_factory=list)
    line: dict[str, str] = Field(default_factory=dict, description="role → the role above it")
    sources: list[ComplaintSource] = Field(default_factory=list)
    routing: list[OrganisationRoute] = Field(default_factory=list)
    catch_all: str = "unassigned"
    fallback: str | None = Field(default=None, description="the person who is told when nobody is left")
    everyone: bool = Field(
        default=False, description="every role and department that is named exists and has one holder (the simulator's default)"
    )

    @model_validator(mode="after")
    def _references_exist(self) -> Self:
        people = {person.id for person in self.people}
        departments = {department.id for department in self.departments}
        for what, where, known in self._references():
            if what is not None and what not in known(people, departments):
                raise ValueError(f"{where}: {what} does not exist; add it or correct the id")
        return self

    def _references(self) -> list[tuple[str | None, str, Any]]:
        def is_person(people: set[str], _: set[str]) -> set[str]:
            return people

        def is_department(_: set[str], departments: set[str]) -> set[str]:
            return departments

        return [
            (self.fallback, "fallback", is_person),
            *((p.substitute, f"people.{p.id}.substitute", is_person) for p in self.people),
            *((d.head, f"departments.{d.id}.head", is_person) for d in self.departments),
            *((p.department, f"people.{p.id}.department", is_department) for p in self.people),
            *((d.parent, f"departments.{d.id}.parent", is_department) for d in self.departments),
            *((r.department, "routing.department", is_department) for r in self.routing),
        ]

    def person(self, person_id: str) -> Person | None:
        """The person of that id, if there is one."""
        return self._index.people.get(person_id)

    def department(self, department_id: str) -> Department | None:
        """The department of that id, if there is one."""
        return self._index.departments.get(department_id)

    def source(self, source_id: str) -> ComplaintSource | None:
        """The source of that id, if there is one."""
        return next((source for source in self.sources if source.id == source_id), None)

    def role_above(self, role: str) -> str | None:
        """The role above a role in the line upward."""
        return self.line.get(role)

    def role_holders(self, role: str, department: str, at: datetime, accused: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """The ids of those who hold a role for a case of that department at that instant.

        Looked for in the department, else in the line of its parents, else among those without a department. The absent are
        replaced by their substitutes, the accused left out; an empty tuple means vacant. `owner` is the department's head.
        """
        if self.everyone:
            return () if role in accused else (role,)
        named = self._cached_holders(role, department)
        if named.never_absent and not accused:
            return named.persons
        found = (self._present_substitute(person, at, accused) for person in named.persons)
        return tuple(dict.fromkeys(person for person in found if person))

    def first_held_role(self, roles: RoleNames, department: str, at: datetime, accused: frozenset[str] = frozenset()) -> str:
        """Of several roles the first that somebody holds; the first of all if nobody holds any."""
        named = (roles,) if isinstance(roles, str) else tuple(roles)
        return next((role for role in named if self.role_holders(role, department, at, accused)), named[0])

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, perhaps with other people or departments: it looks them up anew."""
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("_index", None)
        return copied

    @cached_property
    def _index(self) -> _OrganisationIndex:
        """Who is where, looked up once."""
        return _OrganisationIndex({person.id: person for person in self.people}, {each.id: each for each in self.departments})

    def _cached_holders(self, role: str, department: str) -> _RoleHolders:
        known = self._index.holders
        found = known.get((role, department))
        if found is None:
            if len(known) >= _MAX_CACHED_HOLDERS:
                known.clear()
            found = known[(role, department)] = self._find_holders(role, department)
        return found

    def _find_holders(self, role: str, department: str) -> _RoleHolders:
        persons = tuple(dict.fromkeys(self._holder_ids(role, department)))
        people = [self.person(person) for person in persons]
        return _RoleHolders(persons, all(person is not None and not person.absent for person in people))

    def _holder_ids(self, role: str, department: str) -> list[str]:
        unit = self.department(department)
        while unit is not None:
            here = (
                [unit.head] if role == "owner" and unit.head else [p.id for p in self.people if role in p.roles and p.department == unit.id]
            )
            if here:
                return here
            unit = self.department(unit.parent) if unit.parent else None
        return [person.id for person in self.people if role in person.roles and person.department is None] or (
            [] if self.departments and department else [person.id for person in self.people if role in person.roles]
        )

    def _present_substitute(self, person_id: str, at: datetime, accused: frozenset[str]) -> str | None:
        seen: set[str] = set()
        person = self.person(person_id)
        while person is not None and person.id not in seen:
            seen.add(person.id)
            if not person.is_absent(at) and not accused & {person.id, person.name}:
                return person.id
            person = self.person(person.substitute) if person.substitute else None
        return None


def open_organisation(organisation_id: str = "everyone") -> Organisation:
    """The organisation of a scenario without one: every role and department that is named exists and has one holder."""
    return Organisation(id=organisation_id, everyone=True)
