"""The interface of a provider: one call that sends one message and returns the result; a peer's fault is a result, not an exception."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from services.notify.domain.failure_reason import FailureReason


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message to send; `idempotency_key` is the same at every attempt, so that a gateway can recognise a repeat.

    `case` is the id of the case, `language` that of subject and text (`zh` or `en`), empty if unknown. `provider` is set if an earlier
    attempt may have sent the message through that provider: no other one may repeat it. `attempt` is the attempt's number, from 1.
    """

    idempotency_key: str
    address: str
    subject: str
    text: str
    case: str = ""
    language: str = ""
    provider: str = ""
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class SendAccepted:
    """The provider accepted the message; `reference` is its id for it, empty if it assigns none.

    `parts` are the provider's ids of a text message that was sent in parts, in the form in which its receipts name them.
    `billed_parts` is how many parts the carrier charges; the channel's pool counts them where the provider does not, and adds
    `provider`, the id of the one that sent the message.
    """

    reference: str = ""
    parts: tuple[str, ...] = ()
    billed_parts: int = 0
    provider: str = ""


@dataclass(frozen=True, slots=True)
class SendFailed:
    """The provider did not accept the message; a failure that is not `permanent` is retried.

    `code` is the peer's status code, digits and dots only; `retry_after` the pause in seconds that the peer requires. `in_doubt` means
    that the message may have been sent: the connection broke after the request. `postponed` means that no attempt was made: our own
    limits hold it back until `retry_after`. `provider` is the id that the channel's pool adds.
    """

    reason: FailureReason
    permanent: bool
    code: str = ""
    retry_after: float | None = None
    in_doubt: bool = False
    postponed: bool = False
    provider: str = ""

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
    """A gateway's report about an accepted message; `code` is the gateway's.

    It names the message by our `idempotency_key`, or, where that is empty, by the gateway's own `reference` for one of its parts.
    `acknowledged`: the person has confirmed it by pressing the key during the call.
    """

    idempotency_key: str
    status: ReceiptStatus
    code: str = ""
    reference: str = ""
    acknowledged: bool = False


class Provider(Protocol):
    """The client of one channel."""

    channel: str

    async def send(self, message: OutgoingMessage) -> SendAccepted | SendFailed:
        """Make one attempt, within the provider's timeout; the channel's pool turns an exception into a failure in doubt."""

    async def close(self) -> None:
        """Close the connections."""
