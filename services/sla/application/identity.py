"""Resolves bearer tokens and signing keys of the organisation file to actors; `policy` states what they may do with a case."""

from collections.abc import Collection, Mapping

from services.sla.domain.lifecycle.case import Case
from shared.contracts.envelope import KEY_ID_HEADER, SIGNATURE_HEADER, signing_input
from shared.procedures.access import AccessPolicy, Actor, CaseParties
from shared.procedures.organisation import Organisation
from shared.runtime.http.identity.people import PersonAuthentication
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.kafka.signing import is_signature_valid


class IdentityRegistry:
    """The people and sources of the organisation file, by their token and the id of their signing key."""

    def __init__(self, organisation: Organisation, people: PersonAuthentication | None = None) -> None:
        self.people = people or PersonAuthentication(organisation)
        self.policy = AccessPolicy(organisation)
        self._organisation = organisation
        self._keys: dict[str, tuple[str, Actor]] = {}
        for person in organisation.people:
            self._keys.update({key_id: (public_key, Actor(person.id, person)) for key_id, public_key in person.keys.items()})
        for source in organisation.sources:
            self._keys.update({key_id: (public_key, Actor(source.id)) for key_id, public_key in source.keys.items()})

    def actor_by_id(self, actor_id: str) -> Actor:
        """The actor of an action that was authenticated when it came in: a person, or a source."""
        return Actor(actor_id, self._organisation.person(actor_id))

    @property
    def key_ids(self) -> Collection[str]:
        """The ids of the keys that may sign."""
        return self._keys.keys()

    def has_valid_signature(self, record: ReceivedRecord) -> bool:
        """Whether a key of the organisation file signed the record: topic, key, event id and body."""
        public_key, _ = self._keys.get(record.headers.get(KEY_ID_HEADER, ""), ("", None))
        content = signing_input(record.topic, record.key, str(record.id), record.body)
        return bool(public_key) and is_signature_valid(public_key, record.headers.get(SIGNATURE_HEADER, ""), content)

    def signer(self, headers: Mapping[str, str]) -> Actor:
        """The actor whose key a record names; only for records whose signature has been checked."""
        return self._keys[headers[KEY_ID_HEADER]][1]


def case_parties(case: Case) -> CaseParties:
    """Whom the case concerns, as the policy asks for it."""
    return CaseParties(
        department=case.department,
        proposed=case.proposed,
        cooperating=tuple(case.cooperating),
        handler=case.handler,
        source=case.complaint.get("source", ""),
        against=frozenset(case.complaint.get("against") or ()),
    )
