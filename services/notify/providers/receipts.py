"""The interface of providers whose gateway reports deliveries: by a call of a route of ours, or on the provider's own connection."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable

from services.notify.providers.provider import DeliveryReceipt

RecordReceipt = Callable[[DeliveryReceipt], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class ReceiptCall:
    """One call of a gateway to `/v1/receipts/{provider}`; `now` is real time, by which gateways sign."""

    method: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes
    now: datetime


class ReceiptForged(ValueError):  # noqa: N818 - names what happened
    """The call is not signed as this gateway signs; the text names header, rule and remedy."""


class ReceiptUnreadable(ValueError):  # noqa: N818 - names what happened
    """The call is authentic, but its content does not follow the gateway's protocol; the text names field, rule and remedy."""


def is_recent_timestamp(text: str, now: datetime, tolerance: timedelta) -> bool:
    """Whether the text is whole seconds since 1970 at most `tolerance` from `now`."""
    is_number = text.isascii() and text.isdigit() and len(text) < 12  # noqa: PLR2004 - seconds since 1970
    return is_number and abs(now.timestamp() - int(text)) <= tolerance.total_seconds()


@runtime_checkable
class ReceiptReader(Protocol):
    """A provider whose gateway calls us."""

    def read_receipts(self, call: ReceiptCall) -> Sequence[DeliveryReceipt]:
        """The receipts of a call, in its order. Raises `ReceiptForged` or `ReceiptUnreadable`."""

    def receipt_reply(self) -> dict[str, Any]:
        """The JSON that the gateway expects; it repeats a call without it."""


@runtime_checkable
class ReceiptListener(Protocol):
    """A provider that gets receipts on its own connection."""

    async def listen(self, record: RecordReceipt) -> None:
        """Keep the connection open, and pass on each receipt, until cancelled."""
