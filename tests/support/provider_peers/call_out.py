"""A call-out system, simulated: it checks the signature of each call, calls once a key, and reports by a signed callback."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.notify.providers.kind import ProviderContext
from services.notify.providers.voice.call_out import KIND, CallOutProvider, CallOutSettings
from shared.runtime.clock import Clock
from tests.support.gateways.simulated_gateway import UNKNOWN_SUFFIX, SimulatedGateway
from tests.support.provider_peers.peer_kind import TIMEOUT, PeerKind, ProviderPeer

SECRET = "call-out secret"
RECEIPTS_URL = "https://complaints.example.org/v1/receipts/calls"


def signed(content: bytes, secret: str = SECRET, timestamp: float | None = None) -> dict[str, str]:
    """The headers of a call or a report."""
    stamp = str(int(time.time() if timestamp is None else timestamp))
    return {
        "jiesu-timestamp": stamp,
        "jiesu-signature": hmac.new(secret.encode(), stamp.encode() + b"." + content, hashlib.sha256).hexdigest(),
    }


class CallOutSystem(SimulatedGateway):
    async def answer(self, request: Request, body: bytes) -> Response:
        stamp = request.headers.get("jiesu-timestamp", "")
        if (
            request.url.path != "/v1/calls"
            or request.headers.get("jiesu-signature") != signed(body, timestamp=float(stamp))["jiesu-signature"]
        ):
            return JSONResponse({"error": "signature"}, 401)
        call: dict[str, Any] = json.loads(body)
        if set(call) != {"reference", "to", "extension", "text", "language", "acknowledge", "attempts", "caller", "report_to"}:
            return JSONResponse({"error": "fields"}, 422)
        if call["to"].endswith(UNKNOWN_SUFFIX):
            return JSONResponse({"error": f"{call['to']} is not in service"}, 422)
        self.message_file.add(request.headers["idempotency-key"], call)
        return JSONResponse({"id": f"call-{call['reference'][-4:]}"}, 202)


def call_out_provider(port: int, timeout: float = TIMEOUT, **settings: Any) -> CallOutProvider:
    described = CallOutSettings(url=f"http://127.0.0.1:{port}", secret_env="CALLS_SECRET", **settings)
    context = ProviderContext("calls", Clock(), timeout, RECEIPTS_URL, {"CALLS_SECRET": SECRET})
    built = KIND.create(described, context)
    assert isinstance(built, CallOutProvider)
    return built


@asynccontextmanager
async def connect(folder: Path) -> AsyncIterator[ProviderPeer]:
    async with CallOutSystem(folder) as system:
        provider = call_out_provider(system.port, 5)
        yield ProviderPeer(
            provider,
            system.message_file,
            "+8613800000001",
            f"+861380000{UNKNOWN_SUFFIX}",
            lambda: system.queued.append(Response(status_code=503, headers={"retry-after": "7"})),
            lambda: system.queued.append(Response(status_code=400)),
        )
        await provider.close()


PEER = PeerKind(call_out_provider, connect, "+8613800000001")
