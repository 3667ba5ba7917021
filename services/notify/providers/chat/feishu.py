"""Posts into Feishu groups by a custom bot (open.feishu.cn: custom bot guide; frequency control)."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.notify.domain.failure_reason import FailureReason
from services.notify.providers.chat.robot import GroupRobot, SignedRobotSettings
from services.notify.providers.kind import ProviderContext, ProviderKind
from services.notify.providers.provider import OutgoingMessage


class FeishuRobot(GroupRobot):
    """A Feishu custom bot, signed if a secret is set; it mentions people by ids of Feishu only, which we do not have."""

    # The body has at most 20 KB; JSON escapes of line breaks and quotation marks fit into the difference.
    longest_text = 15_000
    windows = ((100, 60.0), (5, 1.0))
    error_codes = {
        9499: (FailureReason.REFUSED, None),  # a bad request: the body's form, or over 20 KB
        11232: (FailureReason.BUSY, 60.0),  # the frequency limit, or the load of a full hour
        99991400: (FailureReason.BUSY, 60.0),  # the frequency limit of the platform
        19001: (FailureReason.CREDENTIALS, None),  # the webhook's token is invalid
        19021: (FailureReason.CREDENTIALS, None),  # the signature does not fit, or its time is more than an hour off
        19022: (FailureReason.CREDENTIALS, None),  # the sender's address is not allowed
        19024: (FailureReason.CREDENTIALS, None),  # the text has none of the robot's keywords
    }

    def __init__(self, settings: SignedRobotSettings, context: ProviderContext) -> None:
        super().__init__(settings, context)
        self._secret = context.secret(settings.secret_env)

    def compose(self, message: OutgoingMessage, now: datetime) -> tuple[dict[str, str], dict[str, Any]]:
        """The signature goes into the body, its time in seconds as text."""
        body: dict[str, Any] = {"msg_type": "text", "content": {"text": self.text_of(message)}}
        if self._secret:
            timestamp = str(int(now.timestamp()))
            body = {"timestamp": timestamp, "sign": sign(self._secret, timestamp), **body}
        return {}, body

    def error_code(self, answer: Mapping[str, Any]) -> object:
        """`code`; `StatusCode` in answers of the first generation."""
        return answer.get("code", answer.get("StatusCode"))


def sign(secret: str, timestamp: str) -> str:
    """Base64 of HMAC-SHA256 of nothing, with timestamp (seconds), line break, secret as the key: not as DingTalk signs."""
    return base64.b64encode(hmac.new(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256).digest()).decode()


KIND = ProviderKind("chat", SignedRobotSettings, FeishuRobot)
