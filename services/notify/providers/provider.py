"""The interface of a provider: one call that sends one message and returns the result; a peer's fault is a result, not an exception."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from services.notify.domain.failure_reason import FailureReason


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message to send; `idempotency_key` is the same at every attempt, so that a gateway can recognise a repeat.

    `case` is the id of the case, `language` that of subject and text (`zh` or `en`), empty if unknown.
    """

    idempotency_key: str
    address: str
    subject: str
    text: str
    case: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class SendAccepted:
    """The provider accepted the message; `reference` is its id for it, empty if it assigns none."""

    reference: str = ""


@dataclass(frozen=True, slots=True)
class SendFailed:
    """The provider did not accept the message; a failure that is not `permanent` is retried.

    `code` is the peer's status code, digits and dots only; `retry_after` the seconds that it asked to wait. `postponed`: our own limit
    delayed the message before the peer was called, so it counts as no attempt and is due again after `retry_after`.
    """

    reason: FailureReason
    permanent: bool
    code: str = ""
    retry_after: float | None = None
    postponed: bool = False

    def describe(self) -> str:
        """Reason and code, for the event and the log; never text of the peer, which may repeat the address."""
        return f"{self.reason}: {self.code}" if self.code else str(self.reason)


class ReceiptStatus(Enum):
    """The status that a receipt reports; `UNDECIDED` changes nothing."""

    DELIVERED = "delivered"
    FAILED = "failed"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class DeliveryReceipt:
    """A gateway's report about an accepted message; `code` is the gateway's."""

    idempotency_key: str
    status: ReceiptStatus
    code: str = ""


class Provider(Protocol):
    """The client of one channel."""

    channel: str

    async def send(self, message: OutgoingMessage) -> SendAccepted | SendFailed:
        """Make one attempt, within the provider's timeout."""

    async def close(self) -> None:
        """Close the connections."""
