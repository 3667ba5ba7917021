"""The HTTP client of gateways: one bounded attempt, the result of a status that the protocol does not explain, and the MAC of a URL."""

import asyncio
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from services.notify.domain.failure_reason import FailureReason
from services.notify.providers.provider import SendFailed
from services.notify.providers.receipts import ReceiptCall, ReceiptForged

MAC_PARAMETER = "mac"
_MAX_RESPONSE_BYTES = 65_536
# HTTP statuses with their reasons; 2xx is accepted, any other 5xx is busy, anything else refused.
HTTP_STATUS_REASONS: dict[int, FailureReason] = {
    401: FailureReason.CREDENTIALS,
    402: FailureReason.BUSY,  # the account is empty until the operator tops it up
    403: FailureReason.CREDENTIALS,
    404: FailureReason.GARBAGE,  # a wrong path or a proxy during a deployment: no fault of the recipient
    405: FailureReason.GARBAGE,
    407: FailureReason.CREDENTIALS,
    408: FailureReason.BUSY,
    409: FailureReason.BUSY,  # an attempt with this idempotency key is in progress
    425: FailureReason.BUSY,
    429: FailureReason.BUSY,
}


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """A whole response; `content` is empty if it was longer than any valid one."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP's successes


class HttpGateway:
    """A client without redirects and proxies of the environment, so that secrets go to the gateway only."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._client = httpx.AsyncClient(timeout=timeout, follow_redirects=False, trust_env=False)

    async def call(self, method: str, url: str, **request: Any) -> GatewayResponse | SendFailed:
        """One request, within the time limit; a fault of the connection is a result."""
        try:
            # The outer timeout bounds the whole attempt; httpx's applies to each read, which a slow peer can stretch without end.
            async with asyncio.timeout(self._timeout), self._client.stream(method, url, **request) as response:
                return GatewayResponse(response.status_code, response.headers, await _read_bounded(response))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            return _failure_of(error)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _failure_of(error: Exception) -> SendFailed:
    """The result for an error of the HTTP client; without a connection the request cannot have been sent."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.InvalidURL | httpx.UnsupportedProtocol):
        return SendFailed(FailureReason.UNREACHABLE, permanent=False)
    is_garbage = isinstance(error, httpx.ProtocolError | httpx.DecodingError)
    return SendFailed(FailureReason.GARBAGE if is_garbage else FailureReason.UNREACHABLE, permanent=False, in_doubt=True)


async def _read_bounded(response: httpx.Response) -> bytes:
    """The body; empty if it is longer than any valid response."""
    content = b""
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > _MAX_RESPONSE_BYTES:
            return b""
    return content


def failure_of_status(response: GatewayResponse) -> SendFailed:
    """The result of a response that the gateway's protocol does not explain."""
    code = str(response.status)
    if response.is_success:
        # The message may have been accepted, or a proxy answered; an idempotency key, where there is one, makes a retry safe.
        return SendFailed(FailureReason.GARBAGE, permanent=False, code=code, in_doubt=True)
    if response.status in HTTP_STATUS_REASONS:
        reason = HTTP_STATUS_REASONS[response.status]
        return SendFailed(reason, reason.is_permanent, code, retry_after(response.headers))
    if response.status >= 500:  # noqa: PLR2004 - HTTP's server errors
        # 503 refuses; behind any other one, as behind a proxy's 502 or 504, the message may have been taken.
        in_doubt = response.status != 503  # noqa: PLR2004 - service unavailable
        return SendFailed(FailureReason.BUSY, permanent=False, code=code, retry_after=retry_after(response.headers), in_doubt=in_doubt)
    return SendFailed(FailureReason.REFUSED, permanent=True, code=code)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Whole seconds of the header `Retry-After`, None for a date or a wait of more than eleven days."""
    text = headers.get("retry-after", "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None  # noqa: PLR2004 - longer than eleven days


def message_mac(secret: str, key: str) -> str:
    """The MAC in a receipt's URL, which authenticates calls of gateways without a signature."""
    return hmac.new(secret.encode(), key.encode(), "sha256").hexdigest()[:32]


def check_message_mac(secret: str, key: str, call: ReceiptCall) -> None:
    """Raise `ReceiptForged` unless the call's `mac` belongs to the message's key."""
    mac = dict(call.query).get(MAC_PARAMETER, "")
    if not secret or not hmac.compare_digest(message_mac(secret, key).encode(), mac.encode()):
        raise ReceiptForged(f"{MAC_PARAMETER}: must be the one of the URL that the message was sent with")
