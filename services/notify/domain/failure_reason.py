"""Why a message was not delivered: a closed list, so that it can be a metric's label and never holds personal data."""

from enum import StrEnum


class FailureReason(StrEnum):
    """The first word of `reason` in `notification_failed`; a code of the provider may follow it."""

    VACANT = "vacant"
    """No person holds the role."""
    UNKNOWN_PERSON = "unknown_person"
    """The organisation file has no such person."""
    NO_CONTACT = "no_contact"
    """The complainant is a recipient, but the request has no contact data."""
    SEALED = "sealed"
    """The contact data cannot be decrypted with the configured keys."""
    NO_ADDRESS = "no_address"
    """The recipient has no address on this channel."""
    BAD_ADDRESS = "bad_address"
    """The address is invalid: no such number or mailbox can exist, or the number is a fixed line, which takes no text messages."""
    NO_PROVIDER = "no_provider"
    """The channel is unknown, or its provider is not configured."""
    TEMPLATE = "template"
    """The template could not be rendered with the request's values."""
    TOO_LONG = "too_long"
    """The text takes more parts than any provider of the channel may send; the code is their number."""
    REFUSED = "refused"
    """The provider rejected the message permanently."""
    UNREACHABLE = "unreachable"
    """The provider could not be reached, or did not answer in time."""
    BUSY = "busy"
    """The provider requested a later attempt."""
    GARBAGE = "garbage"
    """The provider's answer does not follow its protocol."""
    CREDENTIALS = "credentials"
    """The provider rejected the name, password or token."""
    RECEIPT = "receipt"
    """The provider accepted the message, and a receipt reported later that it was not delivered."""

    @property
    def is_permanent(self) -> bool:
        """Whether a repeated attempt cannot succeed; a code table of a provider names the reason alone."""
        return self not in _TEMPORARY


def reason_label(text: str) -> str:
    """The reason without the provider's code, as a label value; `other` for a text that is no failure reason."""
    word = text.partition(":")[0]
    return word if word in _WORDS else "other"


_TEMPORARY = frozenset({FailureReason.UNREACHABLE, FailureReason.BUSY, FailureReason.GARBAGE, FailureReason.CREDENTIALS})
_WORDS = frozenset(FailureReason)
