"""An organisation as data: departments, people with roles, calendars, routing, and complaint sources with their procedures."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from shared.contracts.base import StrictModel
from shared.contracts.complaint import Channel
from shared.procedures.additional_channels import AdditionalChannel
from shared.procedures.digest_rules import OptionalDigest
from shared.procedures.expressions.text_patterns import TextPattern
from shared.procedures.model.effects import RoleNames, role_tuple
from shared.procedures.model.sources.entry import SourceEntry
from shared.procedures.organisation_triage import OrganisationRoute, SharedEvent
from shared.procedures.person_entries import Absence, PersonRight
from shared.procedures.source_formats.file_map import FileMap
from shared.procedures.source_formats.webhook_map import WebhookMap

_MAX_CACHED_HOLDERS = 10_000
"""Cached pairs of role and department; bounded because an action may name any role."""


class Person(StrictModel):
    """A person who holds roles, in a department or in the whole organisation.

    `token_sha256` is the hex SHA-256 of the person's API token, `keys` maps key ids to Ed25519 public keys (base64) for signed actions.
    """

    id: str
    name: str = ""
    roles: list[str] = Field(default_factory=list)
    department: str | None = None
    email: str | None = None
    phone: str | None = None
    chat: str | None = Field(default=None, description="the robot of the person's group in providers.yaml; none: the department's")
    language: str = "zh"
    substitute: str | None = Field(default=None, description="the person who holds the roles during an absence")
    absent: list[Absence] = Field(default_factory=list)
    token_sha256: str | None = None
    account: str | None = Field(default=None, description="name of the person at the identity provider; none: the id")
    keys: dict[str, str] = Field(default_factory=dict)
    digest: OptionalDigest | None = Field(default=None, description="limits of digests; false: every message comes singly")
    may: list[PersonRight] = Field(
        default_factory=list,
        description="rights besides those of roles; find_by_phone: find cases by a complainant's phone number or name; "
        "unmask: see a complainant's contact data, recorded with the reason; what_if: try other numbers of a procedure on recorded cases",
    )

    def is_absent(self, at: datetime) -> bool:
        """Whether the person is absent at an instant."""
        return any(absence.from_ <= at < absence.to for absence in self.absent)


class Department(StrictModel):
    """A department; its `head` holds the role `owner` for the cases that are routed to it."""

    id: str
    zh: str = ""
    en: str = ""
    head: str | None = None
    parent: str | None = None
    calendar: str | None = None
    chat: str | None = Field(default=None, description="the robot of its group in providers.yaml; none: that of the department above")
    capacity: int | None = Field(
        default=None, ge=1, description="how many open cases it can lead; with so many, triage names the next of `next` instead"
    )
    next: list[str] = Field(
        default_factory=list, description="departments that take its place, in this order, on days off of its calendar or at its capacity"
    )
    sees: list[str] = Field(default_factory=list, description="confidential fields that its topic shows nevertheless")


class ComplaintSource(SourceEntry):
    """A sender of complaints: a contact centre, a mailbox, a system.

    `key_sha256` lists the hex SHA-256 of its API keys; `channels` limits the channels that it may submit (none: any).
    """

    id: str
    procedure: str
    version: int | None = Field(default=None, description="version of the procedure; none: the newest installed")
    parameters: dict[str, Any] = Field(default_factory=dict)
    channels: list[Channel] = Field(default_factory=list)
    key_sha256: list[str] = Field(default_factory=list)
    keys: dict[str, str] = Field(default_factory=dict, description="Ed25519 public keys (base64) by key id, for signed records")
    rate_per_second: float = Field(default=1000, gt=0)
    contact_name: str = Field(default="", description="whom a complainant can talk to before a person is in charge, as messages name it")
    contact_phone: str = Field(default="", description="the phone that those messages give")
    resend: Literal["supplement", "refuse"] = Field(
        default="supplement",
        description="another text under a known external_id: a supplement of the case, or refused (HTTP 409, dead letter key_reused)",
    )
    department: str | None = Field(default=None, description="the department of all its cases, instead of the one that routing selects")
    imports: FileMap | str | None = Field(default=None, description="columns of its CSV and Excel files, or the YAML file with them")
    webhook: WebhookMap | str | None = Field(default=None, description="its calls, or the YAML file that describes them")

    @property
    def procedure_reference(self) -> str:
        """The reference by which the loader finds the procedure: with the version if the source names one."""
        return self.procedure if self.version is None else f"{self.procedure}@{self.version}"


@dataclass(frozen=True, slots=True)
class _RoleHolders:
    """The persons who hold a role in a department, absences aside; `never_absent` if none of them has an absence."""

    persons: tuple[str, ...]
    never_absent: bool


@dataclass(frozen=True, slots=True)
class _OrganisationIndex:
    """People and departments by id, and the cached role holders by role and department."""

    people: dict[str, Person]
    departments: dict[str, Department]
    holders: dict[tuple[str, str], _RoleHolders] = field(default_factory=dict)


class Organisation(StrictModel):
    """One organisation; a role without a holder is vacant."""

    id: str
    version: int = 1
    zh: str = ""
    en: str = ""
    calendar: str = "default"
    calendars: list[dict[str, Any]] = Field(default_factory=list, description="see the reference page on calendars")
    departments: list[Department] = Field(default_factory=list)
    people: list[Person] = Field(default_factory=list)
    line: dict[str, str] = Field(default_factory=dict, description="role → the role above it, to which escalations go")
    sources: list[ComplaintSource] = Field(default_factory=list)
    routing: list[OrganisationRoute] = Field(default_factory=list)
    patterns: dict[str, TextPattern] = Field(
        default_factory=dict, description="expressions in the words of a complaint; conditions of routing read them as says.<name>"
    )
    same_events: list[SharedEvent] = Field(default_factory=list, description="the same event in other words across procedures")
    catch_all: str = "unassigned"
    shared_contacts: list[str] = Field(
        default_factory=list, description="phone numbers and addresses that belong to no single complainant: own desks, switchboards"
    )
    also_by: list[AdditionalChannel] = Field(default_factory=list, description="messages to staff that also go by another channel")
    fallback: str | None = Field(default=None, description="the person who is notified if no recipient is found")
    may_erase: list[str] = Field(default_factory=list, description="roles whose holders may have the personal data of a case erased")
    digests: dict[str, OptionalDigest] = Field(default_factory=dict, description="role → limits of digests of its holders")
    everyone: bool = Field(
        default=False, description="every role and department exists, and each role has one holder of its name (the simulator's default)"
    )

    @model_validator(mode="after")
    def _references_exist(self) -> Self:
        people = {person.id for person in self.people}
        departments = {department.id for department in self.departments}
        accounts = [person.account for person in self.people if person.account is not None]
        if len(accounts) != len(set(accounts)):
            raise ValueError("people.account: two people have the same account; each needs one of his own")
        references = [
            ("fallback", self.fallback, people),
            *((f"people.{person.id}.substitute", person.substitute, people) for person in self.people),
            *((f"departments.{department.id}.head", department.head, people) for department in self.departments),
            *((f"people.{person.id}.department", person.department, departments) for person in self.people),
            *((f"departments.{department.id}.parent", department.parent, departments) for department in self.departments),
            *((f"departments.{department.id}.next", other, departments) for department in self.departments for other in department.next),
            *(("routing.department", route.department, departments) for route in self.routing),
        ]
        for field_name, reference, known in references:
            if reference is not None and reference not in known:
                raise ValueError(f"{field_name}: {reference} does not exist; add it or correct the id")
        return self

    @model_validator(mode="after")
    def _departments_have_no_circle(self) -> Self:
        """The search for holders of a role goes up the parents, so a circle would never end."""
        parents = {department.id: department.parent for department in self.departments}
        for department in self.departments:
            visited, ancestor = {department.id}, department.parent
            while ancestor is not None:
                if ancestor in visited:
                    raise ValueError(f"departments.{department.id}.parent: {ancestor} is above itself; correct the parents")
                visited.add(ancestor)
                ancestor = parents[ancestor]
        return self

    def person(self, person_id: str) -> Person | None:
        """The person with an id."""
        return self._index.people.get(person_id)

    def department(self, department_id: str) -> Department | None:
        """The department with an id."""
        return self._index.departments.get(department_id)

    def source(self, source_id: str) -> ComplaintSource | None:
        """The source with an id."""
        return next((source for source in self.sources if source.id == source_id), None)

    def role_above(self, role: str) -> str | None:
        """The role above a role, None for the highest."""
        return self.line.get(role)

    def role_holders(self, role: str, department: str, at: datetime, accused: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """The ids of the persons who hold a role for a case of a department at an instant; empty if the role is vacant.

        Holders are searched in the department, then in its parents, then among persons without a department; `owner` is the
        department's head. Substitutes replace absent persons; accused persons (ids or names) are left out, and where none is left
        the holders in the department above take their place.
        """
        if self.everyone:
            return () if role in accused else (role,)
        holders = self._cached_holders(role, department)
        if holders.never_absent and not accused:  # the usual case: one look-up for each recipient of each message
            return holders.persons
        present = [self.present_substitute(person, at, accused) for person in holders.persons]
        found = tuple(dict.fromkeys(person for person in present if person))
        unit = self.department(department)
        if not found and unit is not None and unit.parent and accused.intersection(holders.persons):
            return self.role_holders(role, unit.parent, at, accused)
        return found

    def departments_of_role(self, role: str, departments: Iterable[str]) -> tuple[str, ...]:
        """The departments of the holders of a role: of those for the first of these departments that finds any, else of all its holders.

        A matter between two units concerns one that has no part in the case yet.
        """
        departments = [department for department in departments if department]
        found = (self._cached_holders(role, department).persons for department in departments)
        holders = [self.person(person_id) for person_id in next(filter(None, found), ())]
        holders = holders or [person for person in self.people if role in person.roles]
        lead = next(iter(departments), "")
        return tuple(dict.fromkeys((person.department if person else None) or lead for person in holders)) or (lead,)

    def first_held_role(self, roles: RoleNames, department: str, at: datetime, accused: frozenset[str] = frozenset()) -> str:
        """The first of several roles that a person holds; the first role if all are vacant."""
        candidates = role_tuple(roles)
        return next((role for role in candidates if self.role_holders(role, department, at, accused)), candidates[0])

    def present_substitute(self, person_id: str, at: datetime, accused: frozenset[str]) -> str | None:
        """The person, or the first of the chain of substitutes who is neither absent nor accused; None if the chain ends or loops."""
        visited, person = set[str](), self.person(person_id)
        while person is not None and person.id not in visited:
            visited.add(person.id)
            if not person.is_absent(at) and not accused & {person.id, person.name}:
                return person.id
            person = self.person(person.substitute) if person.substitute else None
        return None

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy; without the index, which pydantic would copy although people or departments may differ."""
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("_index", None)
        return copied

    @cached_property
    def _index(self) -> _OrganisationIndex:
        people = {person.id: person for person in self.people}
        return _OrganisationIndex(people, {department.id: department for department in self.departments})

    def _cached_holders(self, role: str, department: str) -> _RoleHolders:
        cache = self._index.holders
        holders = cache.get((role, department))
        if holders is None:
            if len(cache) >= _MAX_CACHED_HOLDERS:
                cache.clear()
            holders = cache[role, department] = self._find_holders(role, department)
        return holders

    def _find_holders(self, role: str, department: str) -> _RoleHolders:
        persons = tuple(dict.fromkeys(self._holder_ids(role, department)))
        people = [self.person(person) for person in persons]
        return _RoleHolders(persons, all(person is not None and not person.absent for person in people))

    def _holder_ids(self, role: str, department: str) -> list[str]:
        holders = [person for person in self.people if role in person.roles]
        unit = self.department(department)
        while unit is not None:
            if role == "owner" and unit.head:
                return [unit.head]
            if in_unit := [person.id for person in holders if person.department == unit.id]:
                return in_unit
            unit = self.department(unit.parent) if unit.parent else None
        # Persons without a department act for all of them. If there are none, every holder does in an organisation without departments.
        without_department = [person.id for person in holders if person.department is None]
        if without_department or (self.departments and department):
            return without_department
        return [person.id for person in holders]


def open_organisation(organisation_id: str = "everyone") -> Organisation:
    """The organisation of a scenario that names none: every role and department exists, and each role has one holder."""
    return Organisation(id=organisation_id, everyone=True)
