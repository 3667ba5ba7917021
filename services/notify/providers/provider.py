"""What every provider is: one call that sends one message and says what became of it; it raises nothing for what a peer does."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from services.notify.domain.failure_reason import Reason


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message as a provider gets it; `key` is the same at every attempt, so that a provider which can will send it once."""

    key: str
    to: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has taken the message over; `reference` is its own id for it, empty where it gives none."""

    reference: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider has not taken it; `code` is the peer's, digits and dots only; `after` is how many seconds it asked us to wait."""

    reason: Reason
    permanent: bool
    code: str = ""
    after: float | None = None

    def text(self) -> str:
        """For the event and the log: the reason and the code, nothing that the peer wrote."""
        return f"{self.reason}: {self.code}" if self.code else str(self.reason)


class Arrival(Enum):
    """What a receipt says."""

    DELIVERED = "delivered"
    FAILED = "failed"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Receipt:
    """News about an accepted message: our key, what became of it, and the gateway's code for it."""

    key: str
    arrival: Arrival
    code: str = ""


class Provider(Protocol):
    """One way to send messages of one channel."""

    channel: str

    async def send(self, message: Outgoing) -> Accepted | Refused:
        """Try once, within the provider's own time limit."""

    async def close(self) -> None:
        """Give connections back."""
