"""Sends text messages through an HTTP gateway with idempotency keys and signed receipts (docs/how-to/messages.md)."""

import asyncio
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.notify.domain.failure_reason import FailureReason
from services.notify.providers.kind import ProviderContext, ProviderKind, ProviderSettings, SecretName
from services.notify.providers.provider import DeliveryReceipt, OutgoingMessage, ReceiptStatus, SendAccepted, SendFailed
from services.notify.providers.receipts import ReceiptCall, ReceiptForged, ReceiptUnreadable

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
    receipt_secret: str = field(default="", repr=False)


class HttpSmsSettings(ProviderSettings):
    """The settings of kind `http_sms` in the providers file."""

    url: str = Field(pattern=r"^https?://\S+$", description="the gateway; messages go to {url}/v1/messages")
    token_env: SecretName = ""
    receipt_secret_env: SecretName = Field("", description="key of the receipts' HMAC; empty: no receipt is accepted")
    sender: str = ""


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
                return interpret_response(response.status_code, response.headers, await read_bounded(response))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            return failure_of(error)

    def read_receipts(self, call: ReceiptCall) -> list[DeliveryReceipt]:
        """The receipt of a call; raises `ReceiptForged` or `ReceiptUnreadable`."""
        if not is_authentic_receipt(self._options.receipt_secret, call.headers, call.body, call.now):
            raise ReceiptForged(f"{SIGNATURE_HEADER}: must be the HMAC over timestamp, full stop and body")
        try:
            return [parse_receipt(call.body)]
        except ValidationError as error:
            raise ReceiptUnreadable("body: must be {reference, status, code}; send what the gateway documents") from error

    def receipt_reply(self) -> dict[str, Any]:
        """Nothing that the gateway reads."""
        return {"recorded": True}

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def failure_of(error: Exception) -> SendFailed:
    """The result for an error of the HTTP client; without a connection the request cannot have been sent."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.InvalidURL | httpx.UnsupportedProtocol):
        return SendFailed(FailureReason.UNREACHABLE, permanent=False)
    is_garbage = isinstance(error, httpx.ProtocolError | httpx.DecodingError)
    return SendFailed(FailureReason.GARBAGE if is_garbage else FailureReason.UNREACHABLE, permanent=False, in_doubt=True)


async def read_bounded(response: httpx.Response) -> bytes:
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
            return SendFailed(FailureReason.GARBAGE, permanent=False, code=str(status), in_doubt=True)
    if status in HTTP_STATUS_REASONS:
        reason, permanent = HTTP_STATUS_REASONS[status]
        return SendFailed(reason, permanent, str(status), retry_after(headers))
    if status >= 500:  # noqa: PLR2004 - HTTP's server errors
        # 503 refuses; behind any other one, as behind a proxy's 502 or 504, the message may have been taken.
        in_doubt = status != 503  # noqa: PLR2004 - service unavailable
        return SendFailed(FailureReason.BUSY, permanent=False, code=str(status), retry_after=retry_after(headers), in_doubt=in_doubt)
    return SendFailed(FailureReason.REFUSED, permanent=True, code=str(status))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Whole seconds of the header `Retry-After`, None for a date or a wait of more than eleven days."""
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


def _build(settings: HttpSmsSettings, context: ProviderContext) -> HttpSmsProvider:
    return HttpSmsProvider(
        HttpSmsOptions(
            url=settings.url,
            token=context.secret(settings.token_env),
            sender=settings.sender,
            timeout=context.timeout,
            receipt_secret=context.secret(settings.receipt_secret_env),
        )
    )


KIND = ProviderKind("sms", HttpSmsSettings, _build)
