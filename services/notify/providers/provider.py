"""What every provider is: one call that sends one message and says what became of it; it raises nothing for what a peer does."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from services.notify.domain.failure_reason import FailureReason


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message as a provider gets it; `idempotency_key` is the same at every attempt, so that a provider which can will send it once."""

    idempotency_key: str
    address: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class SendAccepted:
    """The provider has taken the message over; `reference` is its own id for it, empty where it gives none."""

    reference: str = ""


@dataclass(frozen=True, slots=True)
class SendFailed:
    """The provider has not taken it; `code` is the peer's, digits and dots only; `after` is how many seconds it asked us to wait."""

    reason: FailureReason
    permanent: bool
    code: str = ""
    retry_after: float | None = None

    def describe(self) -> str:
        """For the event and the log: the reason and the code, nothing that the peer wrote."""
        return f"{self.reason}: {self.code}" if self.code else str(self.reason)


class ReceiptStatus(Enum):
    """What a receipt says."""

    DELIVERED = "delivered"
    FAILED = "failed"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class DeliveryReceipt:
    """News about an accepted message: our key, what became of it, and the gateway's code for it."""

    idempotency_key: str
    status: ReceiptStatus
    code: str = ""


class Provider(Protocol):
    """One way to send messages of one channel."""

    channel: str

    async def send(self, message: OutgoingMessage) -> SendAccepted | SendFailed:
        """Try once, within the provider's own time limit."""

    async def close(self) -> None:
        """Give connections back."""
