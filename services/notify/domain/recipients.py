"""Who is to be told, on which channel, under which address; or why somebody cannot be."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from services.notify.domain import address
from services.notify.domain.failure_reason import FailureReason
from shared.contracts.events.notifications import NotificationRequested
from shared.procedures.organisation import Organisation

COMPLAINANT = "complainant"
UNNAMED_RECIPIENT = "nobody"
"""Stands for the recipient of a request that names none: it fails visibly too."""
ADDRESS_FIELD = {"sms": "phone", "email": "email"}
"""Channel → the field of a person or complainant that holds the address."""


@dataclass(frozen=True)
class RecipientDirectory:
    """What recipients are resolved with: the organisation, the region of bare phone numbers, and what holds where a request is silent."""

    organisation: Organisation
    phone_region: str = "CN"
    default_channels: tuple[str, ...] = ("email",)
    complainant_language: str = "zh"

    @cached_property
    def staff_recipients(self) -> Mapping[tuple[str, str], "Recipient"]:
        """Everybody of the organisation on every channel that has addresses; reading a phone number takes longer than all the rest."""
        people, channels = self.organisation.people, ADDRESS_FIELD.items()
        return {
            (p.id, channel): _reachable(p.id, channel, p.language, getattr(p, field), self) for p in people for channel, field in channels
        }


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person on one channel; `address` is None where `reason` says why the person cannot be told.

    `id` is a person's id, `complainant`, or the role that nobody holds.
    """

    id: str
    channel: str
    language: str = "zh"
    address: str | None = None
    reason: FailureReason | None = None


def resolve_recipients(
    request: NotificationRequested, directory: RecipientDirectory, contact: Mapping[str, object] | None, contact_unreadable: bool = False
) -> list[Recipient]:
    """Each recipient once a channel, in the order of the request; `sealed` says that contact data came but could not be opened."""
    found: dict[tuple[str, str], Recipient] = {}
    for recipient in _all(request, directory, contact, contact_unreadable):
        found.setdefault((recipient.id, recipient.channel), recipient)
    return list(found.values())


def _all(
    request: NotificationRequested, directory: RecipientDirectory, contact: Mapping[str, object] | None, sealed: bool
) -> Iterator[Recipient]:
    channels = _channels(request, directory)
    for channel in channels:
        if COMPLAINANT in request.recipients or COMPLAINANT in request.persons:
            yield _complainant(channel, directory, contact, sealed)
        for person_id in request.persons:
            if person_id != COMPLAINANT:
                yield _person(person_id, channel, directory)
        if not request.persons:
            roles = request.recipients or [UNNAMED_RECIPIENT]
            yield from (Recipient(role, channel, reason=FailureReason.VACANT) for role in roles if role != COMPLAINANT)


def _channels(request: NotificationRequested, directory: RecipientDirectory) -> Sequence[str]:
    asked = [request.by] if isinstance(request.by, str) else request.by
    return [channel for channel in asked if channel] or directory.default_channels


def _person(person_id: str, channel: str, directory: RecipientDirectory) -> Recipient:
    known = directory.staff_recipients.get((person_id, channel))
    if known is not None:
        return known
    person = directory.organisation.person(person_id)
    if person is None:
        return Recipient(person_id, channel, reason=FailureReason.UNKNOWN_PERSON)
    return _reachable(person_id, channel, person.language, None, directory)


def _complainant(channel: str, directory: RecipientDirectory, contact: Mapping[str, object] | None, sealed: bool) -> Recipient:
    if contact is None:
        return Recipient(COMPLAINANT, channel, reason=FailureReason.SEALED if sealed else FailureReason.NO_CONTACT)
    text = contact.get(ADDRESS_FIELD.get(channel, ""))
    return _reachable(COMPLAINANT, channel, directory.complainant_language, text if isinstance(text, str) else None, directory)


def _reachable(recipient: str, channel: str, language: str, text: str | None, directory: RecipientDirectory) -> Recipient:
    if channel not in ADDRESS_FIELD:
        return Recipient(recipient, channel, language, reason=FailureReason.NO_PROVIDER)
    if not text or not text.strip():
        return Recipient(recipient, channel, language, reason=FailureReason.NO_ADDRESS)
    found = address.normalize_email(text) if channel == "email" else address.normalize_phone(text, directory.phone_region)
    return Recipient(recipient, channel, language, found, None if found else FailureReason.BAD_ADDRESS)
