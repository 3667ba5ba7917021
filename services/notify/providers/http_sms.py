"""Text messages through an HTTP gateway that takes an idempotency key and sends signed receipts; the protocol is described in the docs."""

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

# 2xx is accepted; every other status is listed or falls under the two rules below: 5xx comes back, anything else is refused for good.
HTTP_STATUS_REASONS: dict[int, tuple[FailureReason, bool]] = {
    401: (FailureReason.CREDENTIALS, False),
    402: (FailureReason.BUSY, False),
    403: (FailureReason.CREDENTIALS, False),
    407: (FailureReason.CREDENTIALS, False),
    408: (FailureReason.BUSY, False),
    409: (FailureReason.BUSY, False),
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
_LONGEST_ANSWER = 65_536
_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class HttpSmsOptions:
    """The gateway's address and token; `timeout` in seconds for one whole attempt."""

    url: str
    token: str = field(default="", repr=False)
    sender: str = ""
    timeout: float = 10.0


class _GatewayResponse(BaseModel):
    """What the gateway says when it has accepted a message."""

    id: str = Field(min_length=1, max_length=200)


class _ReceiptBody(BaseModel):
    """A receipt's body: `reference` is our idempotency key."""

    model_config = ConfigDict(extra="ignore")

    reference: str = Field(max_length=200)
    status: str = Field(max_length=50)
    code: str = Field("", max_length=20, pattern=r"^[0-9A-Za-z._-]*$")


class HttpSmsProvider:
    """The provider of the channel `sms`; connections are kept, redirects are not followed, proxies of the environment not used."""

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
        """POST {url}/v1/messages; a repeated key makes the gateway answer as it did the first time, and send nothing."""
        body = {"to": message.address, "text": message.text, "reference": message.idempotency_key, "sender": self._options.sender}
        headers = {"Idempotency-Key": message.idempotency_key}
        try:
            async with asyncio.timeout(self._options.timeout), self._client.stream("POST", self._url, json=body, headers=headers) as answer:
                return interpret_response(answer.status_code, answer.headers, await _bounded(answer))
        except (httpx.ProtocolError, httpx.DecodingError):
            return SendFailed(FailureReason.GARBAGE, permanent=False)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError):
            return SendFailed(FailureReason.UNREACHABLE, permanent=False)

    async def close(self) -> None:
        """Close the kept connections."""
        await self._client.aclose()


async def _bounded(response: httpx.Response) -> bytes:
    content = b""
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > _LONGEST_ANSWER:
            return b""
    return content


def interpret_response(status: int, headers: Mapping[str, str], content: bytes) -> SendAccepted | SendFailed:
    """What an answer of the gateway means for the message."""
    if 200 <= status < 300:  # noqa: PLR2004 - HTTP's successes
        try:
            return SendAccepted(_GatewayResponse.model_validate_json(content).id)
        except ValidationError:
            # Perhaps accepted, perhaps a stranger's page; the idempotency key makes asking again safe.
            return SendFailed(FailureReason.GARBAGE, permanent=False, code=str(status))
    if status in HTTP_STATUS_REASONS:
        reason, permanent = HTTP_STATUS_REASONS[status]
        return SendFailed(reason, permanent, str(status), _after(headers))
    if status >= 500:  # noqa: PLR2004 - HTTP's server errors
        return SendFailed(FailureReason.BUSY, permanent=False, code=str(status), retry_after=_after(headers))
    return SendFailed(FailureReason.REFUSED, permanent=True, code=str(status))


def _after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None  # noqa: PLR2004 - eleven days and more are none


def sign_receipt(secret: str, timestamp: str, body: bytes) -> str:
    """The signature that a receipt has to carry: hex HMAC-SHA256 over timestamp, full stop, body."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def is_authentic_receipt(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether a receipt is the gateway's and not five minutes old (`now` is real time); compares in constant time."""
    timestamp = headers.get(TIMESTAMP_HEADER, "")
    expected = sign_receipt(secret, timestamp, body)
    genuine = hmac.compare_digest(expected.encode(), headers.get(SIGNATURE_HEADER, "").encode())
    return bool(secret) and genuine and _fresh(timestamp, now)


def _fresh(timestamp: str, now: datetime) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):  # noqa: PLR2004 - seconds since 1970
        return False
    return abs(now.timestamp() - int(timestamp)) <= _TOLERANCE.total_seconds()


def parse_receipt(body: bytes) -> DeliveryReceipt:
    """Read a receipt; a status that we do not know decides nothing. Raises pydantic's ValidationError."""
    news = _ReceiptBody.model_validate_json(body)
    return DeliveryReceipt(news.reference, RECEIPT_STATUSES.get(news.status.lower(), ReceiptStatus.UNDECIDED), news.code)
