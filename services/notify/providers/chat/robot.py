"""Base of group robots: one POST of JSON to a secret address, a limit a minute, a response with an error code."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

import httpx
from pydantic import Field

from services.notify.domain.chat.address import ChatAddress
from services.notify.domain.chat.sliding_window import SlidingWindow
from services.notify.domain.chat.text_size import shorten_to_bytes
from services.notify.domain.failure_reason import FailureReason
from services.notify.providers.http_gateway import GatewayResponse, HttpGateway, failure_of_status
from services.notify.providers.kind import ProviderContext, ProviderSettings, SecretName
from services.notify.providers.provider import OutgoingMessage, SendAccepted, SendFailed
from shared.runtime.clock import monotonic
from shared.runtime.errors import Misconfigured

ErrorCodes = Mapping[int, tuple[FailureReason, float | None]]
"""Error code → reason, and the seconds that the product makes a robot wait."""
_LONGEST_CODE = 10_000_000_000


class RobotSettings(ProviderSettings):
    """The settings of every group robot; the id of the entry is the name by which the organisation file addresses the robot."""

    url_env: SecretName = Field(description="variable with the robot's webhook address, which holds its key")
    mention: bool = Field(default=True, description="mention the person that the message is for by the mobile number")


class SignedRobotSettings(RobotSettings):
    """The settings of a robot whose calls can be signed."""

    secret_env: SecretName = Field("", description="variable with the signing secret; empty: the robot is protected otherwise")


class GroupRobot(ABC):
    """A provider of channel `chat`: one robot in one group.

    A message has no idempotency key: one in doubt is sent again, and the group may read it twice.
    """

    channel = "chat"
    longest_text: ClassVar[int]
    """Bytes of UTF-8."""
    windows: ClassVar[Sequence[tuple[int, float]]]
    """Calls and seconds, as the product documents its limits."""
    error_codes: ClassVar[ErrorCodes]

    def __init__(self, settings: RobotSettings, context: ProviderContext) -> None:
        self._id = context.id
        self._mention = settings.mention
        self._url = _webhook_address(context.secret(settings.url_env), settings.url_env)
        self._clock = context.clock
        self._gateway = HttpGateway(context.timeout)
        self._windows = [SlidingWindow(limit, seconds) for limit, seconds in self.windows]

    async def send(self, message: OutgoingMessage) -> SendAccepted | SendFailed:
        """Post one message; beyond the product's limit it is postponed, since DingTalk silences a robot for ten minutes."""
        if ChatAddress.parse(message.address).robot != self._id:
            return SendFailed(FailureReason.REFUSED, permanent=True)  # another group must not read it
        now = monotonic()
        wait = max(window.seconds_until_free(now) for window in self._windows)
        if wait > 0:
            return SendFailed(FailureReason.BUSY, permanent=False, retry_after=wait, postponed=True)
        for window in self._windows:
            window.take(now)
        # Real time: the product compares it with its own clock.
        parameters, body = self.compose(message, self._clock.real_now())
        content = json.dumps(body, ensure_ascii=False).encode()
        response = await self._gateway.call(
            "POST",
            str(self._url.copy_merge_params(parameters)),
            content=content,
            headers={"Content-Type": "application/json; charset=utf-8"},
        )
        if isinstance(response, SendFailed):
            return response
        return self._interpret(response, message)

    async def close(self) -> None:
        """Close the connections."""
        await self._gateway.close()

    @abstractmethod
    def compose(self, message: OutgoingMessage, now: datetime) -> tuple[dict[str, str], dict[str, Any]]:
        """The parameters to add to the query, and the body."""

    @abstractmethod
    def error_code(self, answer: Mapping[str, Any]) -> object:
        """The error code in the product's answer; 0 is success."""

    def mobiles(self, message: OutgoingMessage) -> list[str]:
        """The numbers to mention: one, or none."""
        mobile = ChatAddress.parse(message.address).national_mobile
        return [mobile] if self._mention and mobile else []

    def text_of(self, message: OutgoingMessage) -> str:
        """Subject and text within the product's limit; a longer text is cut at its end."""
        whole = f"{message.subject}\n\n{message.text}" if message.subject else message.text
        return shorten_to_bytes(whole, self.longest_text)

    def _interpret(self, response: GatewayResponse, message: OutgoingMessage) -> SendAccepted | SendFailed:
        code = self._code(response)
        if code is None:
            return failure_of_status(response)
        if code == 0:
            return SendAccepted(message.idempotency_key)
        reason, wait = self.error_codes.get(code, (FailureReason.REFUSED, None))
        return SendFailed(reason, reason.is_permanent, str(code), wait)

    def _code(self, response: GatewayResponse) -> int | None:
        """The code of an answer in the product's form; None for another answer, such as a page of a proxy."""
        try:
            answer = json.loads(response.content)
        except ValueError:  # UnicodeDecodeError and JSONDecodeError are ones
            return None
        code = self.error_code(answer) if isinstance(answer, dict) else None
        return code if isinstance(code, int) and not isinstance(code, bool) and abs(code) < _LONGEST_CODE else None


def _webhook_address(text: str, variable: str) -> httpx.URL:
    try:
        address = httpx.URL(text)
    except httpx.InvalidURL:
        address = httpx.URL("")
    if address.scheme not in ("http", "https") or not address.host:
        # The address is the robot's secret and is never repeated.
        raise Misconfigured(f"{variable}: must hold the robot's whole webhook address, https://…; copy it from the group's settings")
    return address
