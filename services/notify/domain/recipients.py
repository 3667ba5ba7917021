"""Resolves the recipients of a notification request to addresses on channels, or to the reason why there is none."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from services.notify.domain import address
from services.notify.domain.chat.address import ChatAddress
from services.notify.domain.failure_reason import FailureReason
from shared.contracts.events.notifications import NotificationRequested
from shared.procedures.organisation import Organisation, Person

COMPLAINANT = "complainant"
UNNAMED_RECIPIENT = "nobody"
"""The recipient of a request that names none, so that it fails visibly too."""
ADDRESS_FIELD = {"sms": "phone", "email": "email", "voice": "phone"}
"""By channel: the field of a person or complainant that contains the address. A group's robot (`chat`) is the department's."""
STAFF_CHANNELS = frozenset({"chat"})
"""Channels without messages to complainants: the whole group would read them."""


@dataclass(frozen=True)
class RecipientDirectory:
    """People, roles and defaults that recipients are resolved with.

    `phone_region` (ISO 3166) is that of numbers without a country code; the defaults are for requests that name no channel,
    and for complainants, whose language is unknown.
    """

    organisation: Organisation
    phone_region: str = "CN"
    default_channels: tuple[str, ...] = ("email",)
    complainant_language: str = "zh"

    @cached_property
    def staff_recipients(self) -> Mapping[tuple[str, str], "Recipient"]:
        """By person and channel; computed once, because parsing a phone number takes longer than the rest of planning."""
        addressed = {
            (person.id, channel): _to_recipient(person.id, channel, person.language, getattr(person, field), self)
            for person in self.organisation.people
            for channel, field in ADDRESS_FIELD.items()
        }
        return addressed | {(person.id, "chat"): self._in_group(person) for person in self.organisation.people}

    def _in_group(self, person: Person) -> "Recipient":
        """The address in the person's own group, else in that of the department or of the nearest one above that has a group."""
        robot, unit = person.chat, self.organisation.department(person.department or "")
        while robot is None and unit is not None:
            robot, unit = unit.chat, self.organisation.department(unit.parent or "")
        if robot is None:
            return Recipient(person.id, "chat", person.language, reason=FailureReason.NO_ADDRESS)
        mobile = address.normalize_phone(person.phone or "", self.phone_region) or ""
        return Recipient(person.id, "chat", person.language, str(ChatAddress(robot, mobile)))


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person on one channel; without an `address` there is a `reason`.

    `id` is a person's id, `complainant`, or a role that no person holds.
    """

    id: str
    channel: str
    language: str = "zh"
    address: str | None = None
    reason: FailureReason | None = None


def resolve_recipients(
    request: NotificationRequested, directory: RecipientDirectory, contact: Mapping[str, object] | None, contact_unreadable: bool = False
) -> list[Recipient]:
    """The recipients, each once a channel, in the order of the request; `contact_unreadable`: there is contact data, but not decrypted."""
    recipients: dict[tuple[str, str], Recipient] = {}
    for recipient in _all_recipients(request, directory, contact, contact_unreadable):
        recipients.setdefault((recipient.id, recipient.channel), recipient)
    for recipient in _additional_recipients(request, directory):
        recipients.setdefault((recipient.id, recipient.channel), recipient)
    return list(recipients.values())


def _all_recipients(
    request: NotificationRequested, directory: RecipientDirectory, contact: Mapping[str, object] | None, contact_unreadable: bool
) -> Iterator[Recipient]:
    for channel in _channels(request, directory):
        if COMPLAINANT in request.recipients or COMPLAINANT in request.persons:
            yield _complainant(channel, directory, contact, contact_unreadable)
        for person_id in request.persons:
            if person_id != COMPLAINANT:
                yield _person(person_id, channel, directory)
        if not request.persons:  # sla has resolved the roles to no person
            roles = request.recipients or [UNNAMED_RECIPIENT]
            yield from (Recipient(role, channel, reason=FailureReason.VACANT) for role in roles if role != COMPLAINANT)


def _additional_recipients(request: NotificationRequested, directory: RecipientDirectory) -> Iterator[Recipient]:
    """The request's persons on the channels that the organisation adds; who has no address there is reached by the others."""
    for additional in directory.organisation.also_by:
        if additional.applies(
            procedure=request.procedure,
            clauses=[request.clause, *request.clauses],
            roles=request.recipients,
            urgent=request.urgent,
        ):
            persons = (_person(person_id, additional.channel, directory) for person_id in request.persons if person_id != COMPLAINANT)
            yield from (person for person in persons if person.reason is None)


def _channels(request: NotificationRequested, directory: RecipientDirectory) -> Sequence[str]:
    channels = [request.by] if isinstance(request.by, str) else request.by
    return [channel for channel in channels if channel] or directory.default_channels


def _person(person_id: str, channel: str, directory: RecipientDirectory) -> Recipient:
    recipient = directory.staff_recipients.get((person_id, channel))
    if recipient is not None:
        return recipient
    person = directory.organisation.person(person_id)
    if person is None:
        return Recipient(person_id, channel, reason=FailureReason.UNKNOWN_PERSON)
    return _to_recipient(person_id, channel, person.language, None, directory)


def _complainant(channel: str, directory: RecipientDirectory, contact: Mapping[str, object] | None, unreadable: bool) -> Recipient:
    if channel in STAFF_CHANNELS:
        return Recipient(COMPLAINANT, channel, directory.complainant_language, reason=FailureReason.NO_ADDRESS)
    if contact is None:
        return Recipient(COMPLAINANT, channel, reason=FailureReason.SEALED if unreadable else FailureReason.NO_CONTACT)
    text = contact.get(ADDRESS_FIELD.get(channel, ""))
    return _to_recipient(COMPLAINANT, channel, directory.complainant_language, text if isinstance(text, str) else None, directory)


def _to_recipient(recipient_id: str, channel: str, language: str, text: str | None, directory: RecipientDirectory) -> Recipient:
    if channel not in ADDRESS_FIELD:
        return Recipient(recipient_id, channel, language, reason=FailureReason.NO_PROVIDER)
    if not text or not text.strip():
        return Recipient(recipient_id, channel, language, reason=FailureReason.NO_ADDRESS)
    normalized = address.normalize(channel, text, directory.phone_region)
    return Recipient(recipient_id, channel, language, normalized, None if normalized else FailureReason.BAD_ADDRESS)
