"""A gateway that is described in YAML, as docs/how-to/send-sms.md has it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.notify.providers.kind import ProviderContext
from services.notify.providers.sms.http import HttpProvider
from services.notify.providers.sms.http_description import HttpSettings
from shared.runtime.clock import Clock
from tests.support.gateways.simulated_gateway import UNKNOWN_SUFFIX, SimulatedGateway
from tests.support.provider_peers.peer_kind import TIMEOUT, PeerKind, ProviderPeer

ENVIRONMENT = {"GATEWAY_TOKEN": "gateway token", "GATEWAY_RECEIPTS": "gateway receipts"}
DESCRIPTION = {
    "url": "URL/api/v2/send",
    "headers": {"Authorization": "Token ${token}", "Idempotency-Key": "${key}"},
    "json": {"phones": ["${to_national}"], "content": "${text}", "extra": {"custom_id": "${key}", "parts": "${parts}", "flag": 1}},
    "variables_env": {"token": "GATEWAY_TOKEN"},
    "answer": {
        "success": "status == `200` && body.result == `0`",
        "reference": "body.data.msgid",
        "code": "body.result",
        "errors": [
            {"when": "body.result == `8`", "reason": "busy"},
            {"when": "body.result == `4`", "reason": "refused", "permanent": True},
            {"when": "status == `401`", "reason": "credentials"},
        ],
    },
    "receipts": {
        "signature": {
            "header": "x-gateway-signature",
            "secret_env": "GATEWAY_RECEIPTS",
            "over": "${timestamp}.${body}",
            "timestamp_header": "x-gateway-time",
        },
        "items": "body.reports",
        "reference": "msgid",
        "status": "state",
        "delivered": ["DELIVRD", "0"],
        "failed": ["UNDELIV", "EXPIRED"],
        "code": "error",
        "reply": {"result": 0},
    },
}


class DescribedGateway(SimulatedGateway):
    async def answer(self, request: Request, body: bytes) -> Response:
        if request.headers["authorization"] != f"Token {ENVIRONMENT['GATEWAY_TOKEN']}":
            return JSONResponse({"result": 1}, 401)
        content = json.loads(body)
        [phone] = content["phones"]
        if phone.endswith(UNKNOWN_SUFFIX):
            return JSONResponse({"result": 4})
        key = request.headers["idempotency-key"]
        assert content["extra"] == {"custom_id": key, "parts": 1, "flag": 1}
        self.message_file.add(key, {"to": f"+86{phone}", "text": content["content"]})
        return JSONResponse({"result": 0, "data": {"msgid": f"m-{key}"}})


def http_provider(port: int, timeout: float = TIMEOUT) -> HttpProvider:
    settings = HttpSettings.model_validate(DESCRIPTION | {"url": f"http://127.0.0.1:{port}/api/v2/send"})
    return HttpProvider(settings, ProviderContext("gateway", Clock(), timeout, environment=ENVIRONMENT))


@asynccontextmanager
async def connect(folder: Path) -> AsyncIterator[ProviderPeer]:
    async with DescribedGateway(folder) as gateway:
        provider = http_provider(gateway.port, 5)
        yield ProviderPeer(
            provider,
            gateway.message_file,
            "+8613800000001",
            f"+861380000{UNKNOWN_SUFFIX}",
            lambda: gateway.queued.append(JSONResponse({"result": 8, "why": "+8613800000001"})),
            lambda: gateway.queued.append(JSONResponse({"result": 4, "why": "+8613800000001"})),
        )
        await provider.close()


PEER = PeerKind(http_provider, connect, "+8613800000001")
