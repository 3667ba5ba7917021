"""Posts into WeCom groups by a group robot (developer.work.weixin.qq.com/document/path/91770)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.notify.domain.failure_reason import FailureReason
from services.notify.providers.chat.robot import GroupRobot, RobotSettings
from services.notify.providers.kind import ProviderKind
from services.notify.providers.provider import OutgoingMessage


class WecomRobot(GroupRobot):
    """A WeCom group robot; the key in its address is its only protection, it has no signature."""

    longest_text = 2048
    windows = ((20, 60.0),)
    error_codes = {
        -1: (FailureReason.BUSY, None),  # the system is busy
        45009: (FailureReason.BUSY, 60.0),  # more than 20 messages a minute
        45033: (FailureReason.BUSY, 60.0),  # too many concurrent calls
        93000: (FailureReason.CREDENTIALS, None),  # the webhook address is invalid: the robot was removed, or its key changed
        93004: (FailureReason.CREDENTIALS, None),  # the robot was stopped
        93008: (FailureReason.CREDENTIALS, None),  # the robot is not in the group
        40058: (FailureReason.REFUSED, None),  # a parameter is invalid, such as a content over 2,048 bytes
        44004: (FailureReason.REFUSED, None),  # the content is empty
    }

    def compose(self, message: OutgoingMessage, now: datetime) -> tuple[dict[str, str], dict[str, Any]]:  # noqa: ARG002 - unsigned
        """`text`, not `markdown`: only text mentions people by number, and markdown would interpret characters of a complaint as marks."""
        text: dict[str, Any] = {"content": self.text_of(message)}
        if mobiles := self.mobiles(message):
            text["mentioned_mobile_list"] = mobiles
        return {}, {"msgtype": "text", "text": text}

    def error_code(self, answer: Mapping[str, Any]) -> object:
        """`errcode`."""
        return answer.get("errcode")


KIND = ProviderKind("chat", RobotSettings, WecomRobot)
