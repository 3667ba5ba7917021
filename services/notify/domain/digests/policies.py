"""The limits of each person: of the person, else of the first role with limits, else of the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from services.notify.domain.digests.pacing import DigestPolicy
from shared.procedures.digest_rules import DigestRule, OptionalDigest, clock_time
from shared.procedures.organisation import Organisation, Person


@dataclass(frozen=True, slots=True)
class DigestPolicies:
    """The policy of the settings, and the policies of people who differ; `None` means that messages are sent singly."""

    default: DigestPolicy
    by_person: Mapping[str, DigestPolicy | None] = field(default_factory=dict)

    def policy(self, person: str) -> DigestPolicy | None:
        """The policy of a person; None if messages to the person are not collected."""
        policy = self.by_person.get(person, self.default)
        return policy if policy is not None and policy.is_on else None


def digest_policies(organisation: Organisation, default: DigestPolicy) -> DigestPolicies:
    """The policies of an organisation's people."""
    entries = {person.id: _entry(person, organisation.digests) for person in organisation.people}
    return DigestPolicies(default, {person: _policy(entry, default) for person, entry in entries.items() if entry is not None})


def _entry(person: Person, by_role: Mapping[str, OptionalDigest]) -> OptionalDigest | None:
    if person.digest is not None:
        return person.digest
    return next((by_role[role] for role in person.roles if role in by_role), None)


def _policy(entry: OptionalDigest, default: DigestPolicy) -> DigestPolicy | None:
    if not isinstance(entry, DigestRule):
        return None
    return replace(
        default,
        after=default.after if entry.after is None else entry.after,
        window=default.window if entry.window is None else clock_time(entry.window),
        urgent_gap=default.urgent_gap if entry.urgent_gap is None else clock_time(entry.urgent_gap),
    )
