"""Who is asking, and which roles that person holds on a case: from the organisation file, never from the message."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.contracts.envelope import KEY_ID_HEADER, SIGNATURE_HEADER, signing_input
from shared.procedures.organisation import Organisation, Person
from shared.runtime.http.bearer import BearerTokens
from shared.runtime.kafka.signing import is_signature_valid

SYSTEM_ROLE = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody whose identity has been shown: a person, or a source (a system of the organisation), which acts as `system`."""

    id: str
    person: Person | None = None

    def roles(self, organisation: Organisation, department: str, at: datetime) -> tuple[str, ...]:
        """The roles that the actor holds on a case of that department at that instant, those of absent people he stands in for included."""
        if self.person is None:
            return (SYSTEM_ROLE,)
        stood_in_for = [each for each in organisation.people if each.substitute == self.id and each.is_absent(at)]
        held = [role for each in (self.person, *stood_in_for) if _works_for(each, department, organisation) for role in each.roles]
        unit = organisation.department(department) if department else None
        if unit is not None and unit.head in {self.id, *(each.id for each in stood_in_for)}:
            held.append("owner")
        return tuple(dict.fromkeys(held))


class IdentityRegistry:
    """Believes tokens and signatures that the organisation file knows."""

    def __init__(self, organisation: Organisation) -> None:
        self.organisation = organisation
        self.tokens = BearerTokens((person.token_sha256, Actor(person.id, person)) for person in organisation.people if person.token_sha256)
        self._keys: dict[str, tuple[str, Actor]] = {}
        for person in organisation.people:
            self._keys.update({name: (public, Actor(person.id, person)) for name, public in person.keys.items()})
        for source in organisation.sources:
            self._keys.update({name: (public, Actor(source.id)) for name, public in source.keys.items()})

    def actor_by_id(self, actor_id: str) -> Actor:
        """Somebody who was known before by his id: a person, or a source."""
        return Actor(actor_id, self.organisation.person(actor_id))

    def verify_signature(self, topic: str, key: str, event_id: str, body: bytes, headers: Mapping[str, str]) -> Actor | None:
        """Who signed a record; None if nobody that the organisation knows did, or the signature does not fit."""
        found = self._keys.get(headers.get(KEY_ID_HEADER, ""))
        if found is None or not is_signature_valid(found[0], headers.get(SIGNATURE_HEADER, ""), signing_input(topic, key, event_id, body)):
            return None
        return found[1]

    def may_see(self, actor: Actor, departments: tuple[str, ...]) -> bool:
        """Whether an actor has a part in a case of these departments; who belongs to no department works for the whole organisation."""
        person = actor.person
        return (
            person is None or person.department is None or any(_works_for(person, each, self.organisation) for each in departments if each)
        )


def _works_for(person: Person, department: str, organisation: Organisation) -> bool:
    """Whether somebody's department is the case's, or stands above it; without a department one works for all."""
    if person.department is None or not department:
        return True
    unit = organisation.department(department)
    while unit is not None:
        if unit.id == person.department:
            return True
        unit = organisation.department(unit.parent) if unit.parent else None
    return False
