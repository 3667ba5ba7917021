"""The authorisation policy: who may read a case, who may act on it in which roles, and which of its fields stay hidden.

Every service asks `AccessPolicy`. It knows the organisation file and who authenticated; nothing in a request counts.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial

from shared.procedures.accused import excluded_people
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Department, Organisation, Person

COMPLAINANT = "complainant"
"""The role of anyone who proved by a code that the case is his own."""
SYSTEM = "system"
"""The role of a source: a system of the organisation, without a person."""
OWNER = "owner"
"""The role of the head of the department that is responsible."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The authenticated caller: a person, a source (`person` is None), which acts in the role `system`, or the complainant of a case."""

    id: str
    person: Person | None = None
    complains: bool = False


@dataclass(frozen=True, slots=True)
class CaseParties:
    """Whom a case concerns; `source` submitted it, `against` are the people and units complained about."""

    department: str = ""
    proposed: str = ""
    cooperating: tuple[str, ...] = ()
    handler: str = ""
    source: str = ""
    against: frozenset[str] = frozenset()


class AccessPolicy:
    """Decides for one organisation."""

    def __init__(self, organisation: Organisation) -> None:
        self.organisation = organisation
        # Asked for each row of a list; bounded, since anything may stand under `against`.
        self._accused = lru_cache(maxsize=1000)(partial(excluded_people, organisation))
        # Nearly every question comes while nobody relevant is away: only these people have to be looked at again for each of them.
        self._replaceable = [person for person in organisation.people if person.substitute and person.absent]

    def may_read(self, actor: Actor, parties: CaseParties, at: datetime) -> bool:
        """Whether a case concerns the actor at that instant; a source reads what it submitted, a complainant what his own page shows."""
        if actor.person is None:
            return not actor.complains and actor.id == parties.source
        return any(self._viewpoints(actor, parties, at))

    def may_act(self, actor: Actor, parties: CaseParties, at: datetime) -> bool:
        """Whether the actor may act on the case at all; `roles` states in which roles.

        A source acts on every case: a call centre amends what came by mail, and intake signs supplements for other sources.
        """
        return actor.person is None or self.may_read(actor, parties, at)

    def roles(self, actor: Actor, parties: CaseParties, at: datetime) -> tuple[str, ...]:
        """The roles that the actor holds on the case at that instant, as a substitute for absent people too."""
        if actor.person is None:
            return (COMPLAINANT,) if actor.complains else (SYSTEM,)
        represented = list(self._represented(actor, parties, at))
        roles = [role for person in represented for role in self._roles_of_person(person, parties)]
        # Last, whoever brings it: an action without a role takes the only one, and `owner` adds to those that a person has.
        return tuple(sorted(dict.fromkeys(roles), key=lambda role: role == OWNER))

    def hidden_fields(self, actor: Actor, procedure: Procedure, parties: CaseParties, at: datetime) -> tuple[str, ...]:
        """The confidential fields that the actor may not see on this case.

        A substitute sees what the absent person sees: he may sit in a department that sees less, or more, than the one he acts for.
        """
        if not procedure.confidentiality:
            return ()
        hidden = [self._hidden_from_person(procedure, person, parties) for person in self._viewpoints(actor, parties, at)]
        if not hidden:
            own_complaint = actor.person is None and actor.id == parties.source
            return () if own_complaint else hidden_from_department(procedure, None)
        return tuple(field for field in hidden[0] if all(field in others for others in hidden))

    def readable_departments(self, actor: Actor, at: datetime) -> frozenset[str] | None:
        """The departments whose cases the actor may read, None for all: a filter for lists, whose rows still pass `may_read`.

        Cases without a department, and those whose `handler` the actor or an absent person is (`represented_ids`), come on top.
        """
        if actor.person is None:
            return frozenset()
        represented = list(self._represented(actor, CaseParties(), at))
        if any(person.department is None for person in represented):
            return None
        ids = {person.id for person in represented}
        return frozenset(
            unit.id
            for unit in self.organisation.departments
            if self._owner(unit.id) in ids or any(self._works_for(person, unit.id) for person in represented)
        )

    def holds_role(self, actor: Actor, role: str, at: datetime) -> bool:
        """Whether the actor holds a role at that instant, himself or for somebody who is absent, in whatever department.

        For what belongs to no case: the reports of a procedure.
        """
        return any(role in person.roles for person in self._represented(actor, CaseParties(), at))

    def may_read_report(self, actor: Actor, role: str, at: datetime) -> bool:
        """Whether the actor may read the reports that a role owes: who holds it, or a role above it, or is the fallback."""
        if actor.person is None:
            return False
        roles, above = [role], self.organisation.role_above(role)
        while above is not None and above not in roles:
            roles.append(above)
            above = self.organisation.role_above(above)
        return actor.id == self.organisation.fallback or any(self.holds_role(actor, each, at) for each in roles)

    def represented_ids(self, actor: Actor, at: datetime) -> frozenset[str]:
        """The ids of the people for whom the actor acts at that instant, himself included."""
        return frozenset(person.id for person in self._represented(actor, CaseParties(), at))

    def _viewpoints(self, actor: Actor, parties: CaseParties, at: datetime) -> Iterator[Person]:
        """The people, the actor or those he stands in for, whom the case concerns."""
        return (person for person in self._represented(actor, parties, at) if self._concerns(person, parties))

    def _represented(self, actor: Actor, parties: CaseParties, at: datetime) -> Iterator[Person]:
        """The actor, and the people whose substitute he is then; no one for the accused and those who report to them."""
        accused = self._accused(parties.against) if parties.against else frozenset()
        if actor.person is None or actor.id in accused:
            return
        yield actor.person
        replaced = [person for person in self.organisation.people if person.id in accused and person.substitute] if accused else []
        for person in (*self._replaceable, *replaced):
            if person.id != actor.id and self.organisation.present_substitute(person.id, at, accused) == actor.id:
                yield person

    def _concerns(self, person: Person, parties: CaseParties) -> bool:
        if person.department is None or person.id == parties.handler:
            return True
        responsible = self._responsible(parties)
        departments = self._existing(responsible, *parties.cooperating)
        if not departments:
            # Any action may come from any role: until a department is responsible, those who hold a role have to find the case.
            return bool(person.roles)
        return self._owner(responsible) == person.id or any(self._works_for(person, department) for department in departments)

    def _responsible(self, parties: CaseParties) -> str:
        """The lead department, else the proposed one; empty for the catch-all, which takes what is no one's, and for an unknown one."""
        proposed = "" if parties.proposed == self.organisation.catch_all else parties.proposed
        return next(iter(self._existing(parties.department or proposed)), "")

    def _existing(self, *departments: str) -> list[str]:
        return [department for department in departments if department and self.organisation.department(department) is not None]

    def _works_for(self, person: Person, department: str) -> bool:
        """Whether the person's department is this one or above it; people without a department work for all.

        Everybody works for a case that has no department yet.
        """
        if person.department is None or not department:
            return True
        return any(unit.id == person.department for unit in self._upwards(department))

    def _owner(self, department: str) -> str | None:
        """The head of the department, or of the nearest one above it that has a head, as messages to `owner` find him."""
        return next((unit.head for unit in self._upwards(department) if unit.head), None)

    def _upwards(self, department: str) -> Iterator[Department]:
        unit = self.organisation.department(department) if department else None
        while unit is not None:
            yield unit
            unit = self.organisation.department(unit.parent) if unit.parent else None

    def _roles_of_person(self, person: Person, parties: CaseParties) -> list[str]:
        responsible = self._responsible(parties)
        roles = [*person.roles] if person.id == parties.handler or self._works_for(person, responsible) else []
        return [*roles, OWNER] if self._owner(responsible) == person.id else roles

    def _hidden_from_person(self, procedure: Procedure, person: Person, parties: CaseParties) -> tuple[str, ...]:
        if person.department is None or person.id == parties.handler:
            return ()
        roles = frozenset(self._roles_of_person(person, parties))
        return hidden_from_department(procedure, self.organisation.department(person.department), roles)


def hidden_from_department(procedure: Procedure, department: Department | None, roles: Collection[str] = ()) -> tuple[str, ...]:
    """The confidential fields of the procedure that the department may not read; `roles`, if a person of it asks, are his."""
    if not procedure.confidentiality:
        return ()
    readable = frozenset(department.sees) if department is not None else frozenset()
    entries = [entry for entry in procedure.confidentiality if not any(role in roles for role in entry.visible_to)]
    hidden = tuple(field for entry in entries for field in entry.hidden if field not in readable)
    # An agreement and a compensation name the household that the complaint keeps confidential.
    return (*hidden, "household") if "complainant.household" in hidden else hidden
