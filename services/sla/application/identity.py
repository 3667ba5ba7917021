"""Resolves bearer tokens and signing keys of the organisation file to actors, and gives the roles that an actor holds on a case."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.contracts.envelope import KEY_ID_HEADER, SIGNATURE_HEADER, signing_input
from shared.procedures.organisation import Organisation, Person
from shared.runtime.http.bearer import BearerTokens
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.kafka.signing import is_signature_valid

SYSTEM_ROLE = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """An authenticated person, or a source (a system of the organisation), which acts in the role `system`."""

    id: str
    person: Person | None = None

    def roles(self, organisation: Organisation, department: str, at: datetime) -> tuple[str, ...]:
        """The roles that the actor holds on a case of the department at that instant, as a substitute for absent people too."""
        if self.person is None:
            return (SYSTEM_ROLE,)
        absentees = self.absentees(organisation, at)
        roles = [role for person in (self.person, *absentees) if _works_for(person, department, organisation) for role in person.roles]
        unit = organisation.department(department) if department else None
        if unit is not None and unit.head in {self.id, *(person.id for person in absentees)}:
            roles.append("owner")
        return tuple(dict.fromkeys(roles))

    def absentees(self, organisation: Organisation, at: datetime) -> list[Person]:
        """The absent people whose substitute the actor is at that instant."""
        return [person for person in organisation.people if person.substitute == self.id and person.is_absent(at)]


class IdentityRegistry:
    """The people and sources of the organisation file, by the hash of their token and the id of their signing key."""

    def __init__(self, organisation: Organisation) -> None:
        self.organisation = organisation
        self.tokens = BearerTokens((person.token_sha256, Actor(person.id, person)) for person in organisation.people if person.token_sha256)
        self._keys: dict[str, tuple[str, Actor]] = {}
        for person in organisation.people:
            self._keys.update({key_id: (public_key, Actor(person.id, person)) for key_id, public_key in person.keys.items()})
        for source in organisation.sources:
            self._keys.update({key_id: (public_key, Actor(source.id)) for key_id, public_key in source.keys.items()})

    def actor_by_id(self, actor_id: str) -> Actor:
        """The actor of an action that was authenticated when it came in: a person, or a source."""
        return Actor(actor_id, self.organisation.person(actor_id))

    def has_valid_signature(self, record: ReceivedRecord) -> bool:
        """Whether a key of the organisation file signed the record: topic, key, event id and body."""
        public_key, _ = self._keys.get(record.headers.get(KEY_ID_HEADER, ""), ("", None))
        content = signing_input(record.topic, record.key, str(record.id), record.body)
        return bool(public_key) and is_signature_valid(public_key, record.headers.get(SIGNATURE_HEADER, ""), content)

    def signer(self, headers: Mapping[str, str]) -> Actor:
        """The actor whose key a record names; only for records whose signature has been checked."""
        return self._keys[headers[KEY_ID_HEADER]][1]

    def may_see(self, actor: Actor, departments: tuple[str, ...], at: datetime) -> bool:
        """Whether a case of these departments concerns the actor at that instant; people without a department, and sources, see every case.

        `departments` are the lead, the proposed and the co-operating ones; who holds a role on the case may see it.
        """
        person = actor.person
        if person is None or person.department is None:
            return True
        named = [department for department in departments if department]
        if any(_works_for(person, department, self.organisation) for department in named):
            return True
        # A substitute from another department acts for the absent person, and cannot act on a case that he does not find.
        return any(actor.roles(self.organisation, department, at) for department in named)


def _works_for(person: Person, department: str, organisation: Organisation) -> bool:
    """Whether the person's department is the case's or one above it; people without a department work for all."""
    if person.department is None or not department:
        return True
    unit = organisation.department(department)
    while unit is not None:
        if unit.id == person.department:
            return True
        unit = organisation.department(unit.parent) if unit.parent else None
    return False
