"""What HTTP gateways have in common: one bounded attempt, and the result of a status that the protocol does not explain."""

import asyncio
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from services.notify.domain.failure_reason import FailureReason
from services.notify.providers.provider import SendFailed
from services.notify.providers.receipts import ReceiptCall, ReceiptForged
from services.notify.providers.sms.http_sms import HTTP_STATUS_REASONS, failure_of, read_bounded, retry_after

MAC_PARAMETER = "mac"


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
                return GatewayResponse(response.status_code, response.headers, await read_bounded(response))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            return failure_of(error)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def failure_of_status(response: GatewayResponse) -> SendFailed:
    """The result of a response that the gateway's protocol does not explain."""
    code = str(response.status)
    if response.is_success:
        # The message may have been accepted, or a proxy answered.
        return SendFailed(FailureReason.GARBAGE, permanent=False, code=code, in_doubt=True)
    if response.status in HTTP_STATUS_REASONS:
        reason, permanent = HTTP_STATUS_REASONS[response.status]
        return SendFailed(reason, permanent, code, retry_after(response.headers))
    if response.status >= 500:  # noqa: PLR2004 - HTTP's server errors
        in_doubt = response.status != 503  # noqa: PLR2004 - service unavailable, which refuses
        return SendFailed(FailureReason.BUSY, permanent=False, code=code, retry_after=retry_after(response.headers), in_doubt=in_doubt)
    return SendFailed(FailureReason.REFUSED, permanent=True, code=code)


def message_mac(secret: str, key: str) -> str:
    """What proves that a receipt's URL was given out by us: gateways without a signature call it as it is."""
    return hmac.new(secret.encode(), key.encode(), "sha256").hexdigest()[:32]


def check_message_mac(secret: str, key: str, call: ReceiptCall) -> None:
    """Raise `ReceiptForged` unless the call's `mac` belongs to the message's key."""
    given = dict(call.query).get(MAC_PARAMETER, "")
    if not secret or not hmac.compare_digest(message_mac(secret, key).encode(), given.encode()):
        raise ReceiptForged(f"{MAC_PARAMETER}: must be the one of the URL that the message was sent with")
