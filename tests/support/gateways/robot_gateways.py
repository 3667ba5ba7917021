"""Simulated robot gateways of WeCom, DingTalk and Feishu: they check addresses, signatures, forms and limits as documented."""

import base64
import hashlib
import hmac
import json
import time
from abc import abstractmethod
from collections import deque
from pathlib import Path
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.support.gateways.simulated_gateway import SimulatedGateway

KEY = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
SECRET = "SEC-a secret"
ROBOT = "ops"
_HOUR = 3600.0
_WECOM_TEXT = {"content", "mentioned_list", "mentioned_mobile_list"}


class RobotGateway(SimulatedGateway):
    """One robot, `ops`; `queued_codes` are answered instead of accepting the next messages."""

    path: ClassVar[str]
    limit: ClassVar[int]
    too_fast: ClassVar[dict[str, Any]]
    malformed: ClassVar[int]

    def __init__(self, folder: Path, secret: str = SECRET) -> None:
        super().__init__(folder)
        self.queued_codes: deque[int] = deque()
        self.bodies: list[dict[str, Any]] = []
        self.secret = secret
        self._calls: deque[float] = deque()

    async def answer(self, request: Request, body: bytes) -> Response:
        if request.method != "POST" or request.url.path != self.path or not request.headers["content-type"].startswith("application/json"):
            return Response("no such page", 404)
        return JSONResponse(self.decide(request, body))

    def decide(self, request: Request, content: bytes) -> dict[str, Any]:
        now = time.monotonic()
        while self._calls and self._calls[0] <= now - 60:
            self._calls.popleft()
        if len(self._calls) >= self.limit:
            return self.too_fast
        self._calls.append(now)
        if self.queued_codes:
            return self.error(self.queued_codes.popleft())
        try:
            body = json.loads(content)
        except ValueError:
            return self.error(self.malformed)
        if code := self.check(request, content, body):
            return self.error(code)
        self.bodies.append(body)
        title, _, text = self.text(body).partition("\n\n")
        stored = {"to": [ROBOT, *self.mentioned(body)], "title": title, "text": text.partition("\n@")[0]}
        self.message_file.add(str(len(self.bodies)), stored)
        return self.error(0)

    @abstractmethod
    def error(self, code: int) -> dict[str, Any]: ...

    @abstractmethod
    def check(self, request: Request, content: bytes, body: dict[str, Any]) -> int: ...

    @abstractmethod
    def text(self, body: dict[str, Any]) -> str: ...

    @abstractmethod
    def mentioned(self, body: dict[str, Any]) -> list[str]: ...


class WecomGateway(RobotGateway):
    """developer.work.weixin.qq.com/document/path/91770."""

    path, limit, malformed = "/cgi-bin/webhook/send", 20, 47001
    too_fast: ClassVar[dict[str, Any]] = {"errcode": 45009, "errmsg": "api freq out of limit"}

    def error(self, code: int) -> dict[str, Any]:
        return {"errcode": code, "errmsg": "ok" if code == 0 else "13800000001 refused"}

    def check(self, request: Request, content: bytes, body: dict[str, Any]) -> int:
        del content
        if request.query_params.get("key") != KEY:
            return 93000
        text = body.get("text")
        if body.get("msgtype") != "text" or not isinstance(text, dict) or set(text) - _WECOM_TEXT:
            return 40008
        if not text.get("content"):
            return 44004
        return 40058 if len(text["content"].encode()) > 2048 else 0

    def text(self, body: dict[str, Any]) -> str:
        return str(body["text"]["content"])

    def mentioned(self, body: dict[str, Any]) -> list[str]:
        return list(body["text"].get("mentioned_mobile_list", []))


class DingtalkGateway(RobotGateway):
    """Custom robot: signature in the query, within an hour, over timestamp, line break, secret."""

    path, limit, malformed = "/robot/send", 20, 40035
    too_fast: ClassVar[dict[str, Any]] = {
        "status": 1111, "wait": 5, "source": "x5", "punish": "deny",
        "errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute",
    }  # fmt: skip

    def error(self, code: int) -> dict[str, Any]:
        return {"errcode": code, "errmsg": "ok" if code == 0 else "13800000001 refused"}

    def check(self, request: Request, content: bytes, body: dict[str, Any]) -> int:
        if request.query_params.get("access_token") != KEY:
            return 300001
        timestamp, sign = request.query_params.get("timestamp", ""), request.query_params.get("sign", "")
        expected = base64.b64encode(
            hmac.new(self.secret.encode(), f"{timestamp}\n{self.secret}".encode(), hashlib.sha256).digest()
        ).decode()
        if len(timestamp) != 13 or abs(int(timestamp) / 1000 - time.time()) > _HOUR or sign != expected:
            return 310000
        if len(content) > 20_000:
            return 460101
        return 0 if body.get("msgtype") == "text" and body.get("text", {}).get("content") and "at" in body else 400105

    def text(self, body: dict[str, Any]) -> str:
        return str(body["text"]["content"])

    def mentioned(self, body: dict[str, Any]) -> list[str]:
        """The client shows a mention only where the text contains it."""
        return [mobile for mobile in body["at"]["atMobiles"] if f"@{mobile}" in body["text"]["content"]]


class FeishuGateway(RobotGateway):
    """Custom bot: signature in the body, the key is timestamp, line break, secret, and the message empty."""

    path, limit, malformed = f"/open-apis/bot/v2/hook/{KEY}", 100, 9499
    too_fast: ClassVar[dict[str, Any]] = {"code": 11232, "msg": "frequency limited"}

    def error(self, code: int) -> dict[str, Any]:
        if code == 0:
            return {"code": 0, "msg": "success", "data": {}, "Extra": None, "StatusCode": 0, "StatusMessage": "success"}
        return {"code": code, "msg": "+8613800000001 refused", "data": {}}

    def check(self, request: Request, content: bytes, body: dict[str, Any]) -> int:
        del request
        timestamp = body.get("timestamp", "")
        expected = base64.b64encode(hmac.new(f"{timestamp}\n{self.secret}".encode(), digestmod=hashlib.sha256).digest()).decode()
        if (
            not isinstance(timestamp, str)
            or len(timestamp) != 10
            or abs(int(timestamp) - time.time()) > _HOUR
            or body.get("sign") != expected
        ):
            return 19021
        if len(content) > 20 * 1024 or body.get("msg_type") != "text" or not body.get("content", {}).get("text"):
            return 9499
        return 0

    def text(self, body: dict[str, Any]) -> str:
        return str(body["content"]["text"])

    def mentioned(self, body: dict[str, Any]) -> list[str]:
        del body
        return []


def _base64_hmac(key: bytes, content: bytes) -> str:
    return base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
