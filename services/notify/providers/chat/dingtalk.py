"""Posts into DingTalk groups by a custom robot (open.dingtalk.com: custom robot access, security settings)."""

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

_TEN_MINUTES = 600.0


class DingtalkRobot(GroupRobot):
    """A DingTalk custom robot, signed if a secret is set; beyond 20 messages a minute DingTalk refuses all for ten minutes."""

    # The whole message has at most 20,000 bytes; the rest of its JSON and escaped characters fit into the difference.
    longest_text = 15_000
    windows = ((20, 60.0),)
    error_codes = {
        -1: (FailureReason.BUSY, None),  # the system is busy
        130101: (FailureReason.BUSY, _TEN_MINUTES),  # sent too fast, over 20 times a minute
        90030: (FailureReason.BUSY, _TEN_MINUTES),  # the robot's quota of calls is used up
        300001: (FailureReason.CREDENTIALS, None),  # the token does not exist
        310000: (FailureReason.CREDENTIALS, None),  # signature, keyword or address of the sender does not fit the security settings
        400101: (FailureReason.CREDENTIALS, None),  # the access token does not exist
        400102: (FailureReason.CREDENTIALS, None),  # the robot was stopped
        400013: (FailureReason.REFUSED, None),  # the group was dissolved
        460101: (FailureReason.REFUSED, None),  # the message is too long, over 20,000 bytes
    }

    def __init__(self, settings: SignedRobotSettings, context: ProviderContext) -> None:
        super().__init__(settings, context)
        self._secret = context.secret(settings.secret_env)

    def compose(self, message: OutgoingMessage, now: datetime) -> tuple[dict[str, str], dict[str, Any]]:
        """The signature goes into the query; a mention needs the number in the text too, or DingTalk shows none."""
        mobiles = self.mobiles(message)
        text = "".join([self.text_of(message), *(f"\n@{mobile}" for mobile in mobiles)])
        body = {"msgtype": "text", "text": {"content": text}, "at": {"atMobiles": mobiles, "isAtAll": False}}
        if not self._secret:
            return {}, body
        timestamp = str(int(now.timestamp() * 1000))
        return {"timestamp": timestamp, "sign": sign(self._secret, timestamp)}, body

    def error_code(self, answer: Mapping[str, Any]) -> object:
        """`errcode`."""
        return answer.get("errcode")


def sign(secret: str, timestamp: str) -> str:
    """Base64 of HMAC-SHA256 with the secret over timestamp (milliseconds), line break, secret; the query encodes it once more."""
    return base64.b64encode(hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()).decode()


KIND = ProviderKind("chat", SignedRobotSettings, DingtalkRobot)
