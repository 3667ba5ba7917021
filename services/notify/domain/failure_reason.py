"""Why a message was not delivered: a closed list, so that it may be a metric's label and never holds personal data."""

from enum import StrEnum


class FailureReason(StrEnum):
    """The first word of `reason` in `notification_failed`; a code of the provider may follow it."""

    VACANT = "vacant"
    """Nobody holds the role."""
    UNKNOWN_PERSON = "unknown_person"
    """The organisation file does not know the person."""
    NO_CONTACT = "no_contact"
    """The complainant is to be told, but the request carries no contact data."""
    SEALED = "sealed"
    """The contact data cannot be opened with our keys."""
    NO_ADDRESS = "no_address"
    """The recipient has no address on this channel."""
    BAD_ADDRESS = "bad_address"
    """The address is none."""
    NO_PROVIDER = "no_provider"
    """The channel has no provider: unknown, or not configured."""
    TEMPLATE = "template"
    """The text could not be made from the values."""
    REFUSED = "refused"
    """The provider will never accept the message."""
    UNREACHABLE = "unreachable"
    """The provider could not be reached, or not in time."""
    BUSY = "busy"
    """The provider asked to come back later."""
    GARBAGE = "garbage"
    """The provider answered something that is not its protocol."""
    CREDENTIALS = "credentials"
    """The provider does not accept our name, password or token."""
    RECEIPT = "receipt"
    """The provider accepted the message and reported later that it did not arrive."""


def reason_label(text: str) -> str:
    """The reason's first word if it is one of ours, else `other`: a metric's label."""
    word = text.partition(":")[0]
    return word if word in _WORDS else "other"


_WORDS = frozenset(FailureReason)
