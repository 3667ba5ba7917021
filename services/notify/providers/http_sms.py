"""Sends text messages through an HTTP gateway with idempotency keys and signed receipts (docs/how-to/messages.md)."""

import asyncio
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.notify.domain.failure_reason import FailureReason
from services.notify.providers.provider import DeliveryReceipt, OutgoingMessage, ReceiptStatus, SendAccepted, SendFailed

# HTTP statuses with their reason and whether it is permanent; 2xx is accepted, any other 5xx is busy, anything else refused.
HTTP_STATUS_REASONS: dict[int, tuple[FailureReason, bool]] = {
    401: (FailureReason.CREDENTIALS, False),
    402: (FailureReason.BUSY, False),  # the account is empty until the operator tops it up
    403: (FailureReason.CREDENTIALS, False),
    404: (FailureReason.GARBAGE, False),  # a wrong path or a proxy during a deployment: it says nothing about the recipient
    405: (FailureReason.GARBAGE, False),
    407: (FailureReason.CREDENTIALS, False),
    408: (FailureReason.BUSY, False),
    409: (FailureReason.BUSY, False),  # an attempt with this idempotency key is in progress
    425: (FailureReason.BUSY, False),
    429: (FailureReason.BUSY, False),
}
RECEIPT_STATUSES = {
    "delivered": ReceiptStatus.DELIVERED,
    "failed": ReceiptStatus.FAILED,
    "rejected": ReceiptStatus.FAILED,
    "expired": ReceiptStatus.FAILED,
    "queued": ReceiptStatus.UNDECIDED,
    "sent": ReceiptStatus.UNDECIDED,
    "unknown": ReceiptStatus.UNDECIDED,
}
SIGNATURE_HEADER = "jiesu-signature"
TIMESTAMP_HEADER = "jiesu-timestamp"
LONGEST_RECEIPT = 16_384
_MAX_RESPONSE_BYTES = 65_536
_RECEIPT_TOLERANCE = timedelta(minutes=5)
"""An older receipt may be a replay."""


@dataclass(frozen=True, slots=True)
class HttpSmsOptions:
    """The gateway's URL and token; `timeout` is in seconds for one whole attempt."""

    url: str
    token: str = field(default="", repr=False)
    sender: str = ""
    timeout: float = 10.0


class _GatewayResponse(BaseModel):
    """The gateway's response to an accepted message."""

    id: str = Field(min_length=1, max_length=200)


class ReceiptBody(BaseModel):
    """The body of a receipt; `reference` is the idempotency key of the message."""

    model_config = ConfigDict(extra="ignore")

    reference: str = Field(max_length=200)
    status: str = Field(max_length=50)
    code: str = Field("", max_length=20, pattern=r"^[0-9A-Za-z._-]*$")


class HttpSmsProvider:
    """The provider of channel `sms`; without redirects and proxies of the environment, so that its token goes to the gateway only."""

    channel = "sms"

    def __init__(self, options: HttpSmsOptions) -> None:
        self._options = options
        self._url = f"{options.url.rstrip('/')}/v1/messages"
        self._client = httpx.AsyncClient(
            timeout=options.timeout,
            follow_redirects=False,
            trust_env=False,
            headers={"Authorization": f"Bearer {options.token}"} if options.token else {},
        )

    async def send(self, message: OutgoingMessage) -> SendAccepted | SendFailed:
        """POST {url}/v1/messages; for a repeated key the gateway answers as at the first time and sends nothing."""
        body = {"to": message.address, "text": message.text, "reference": message.idempotency_key, "sender": self._options.sender}
        headers = {"Idempotency-Key": message.idempotency_key}
        try:
            # The outer timeout bounds the whole attempt; httpx's applies to each read, which a slow peer can stretch without end.
            async with (
                asyncio.timeout(self._options.timeout),
                self._client.stream("POST", self._url, json=body, headers=headers) as response,
            ):
                return interpret_response(response.status_code, response.headers, await _read_bounded(response))
        except (httpx.ProtocolError, httpx.DecodingError):
            return SendFailed(FailureReason.GARBAGE, permanent=False)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError):
            return SendFailed(FailureReason.UNREACHABLE, permanent=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


async def _read_bounded(response: httpx.Response) -> bytes:
    """The body; empty if it is longer than any valid response."""
    content = b""
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > _MAX_RESPONSE_BYTES:
            return b""
    return content


def interpret_response(status: int, headers: Mapping[str, str], content: bytes) -> SendAccepted | SendFailed:
    """The result for a response of the gateway."""
    if 200 <= status < 300:  # noqa: PLR2004 - HTTP's successes
        try:
            return SendAccepted(_GatewayResponse.model_validate_json(content).id)
        except ValidationError:
            # The message may have been accepted, or a proxy answered: the idempotency key makes a retry safe.
            return SendFailed(FailureReason.GARBAGE, permanent=False, code=str(status))
    if status in HTTP_STATUS_REASONS:
        reason, permanent = HTTP_STATUS_REASONS[status]
        return SendFailed(reason, permanent, str(status), _retry_after(headers))
    if status >= 500:  # noqa: PLR2004 - HTTP's server errors
        return SendFailed(FailureReason.BUSY, permanent=False, code=str(status), retry_after=_retry_after(headers))
    return SendFailed(FailureReason.REFUSED, permanent=True, code=str(status))


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None  # noqa: PLR2004 - longer than eleven days


def sign_receipt(secret: str, timestamp: str, body: bytes) -> str:
    """The signature of a receipt: hex HMAC-SHA256 over timestamp, full stop, body."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def is_authentic_receipt(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether the signature is valid and the timestamp at most five minutes from `now` (real time); False without a secret."""
    timestamp = headers.get(TIMESTAMP_HEADER, "")
    expected = sign_receipt(secret, timestamp, body)
    is_signed = hmac.compare_digest(expected.encode(), headers.get(SIGNATURE_HEADER, "").encode())
    return bool(secret) and is_signed and _is_recent(timestamp, now)


def _is_recent(timestamp: str, now: datetime) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):  # noqa: PLR2004 - seconds since 1970
        return False
    return abs(now.timestamp() - int(timestamp)) <= _RECEIPT_TOLERANCE.total_seconds()


def parse_receipt(body: bytes) -> DeliveryReceipt:
    """Parse a receipt; an unknown status is `UNDECIDED`. Raises pydantic's `ValidationError`."""
    receipt = ReceiptBody.model_validate_json(body)
    return DeliveryReceipt(receipt.reference, RECEIPT_STATUSES.get(receipt.status.lower(), ReceiptStatus.UNDECIDED), receipt.code)
