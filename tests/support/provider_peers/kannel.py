"""Kannel's smsbox, simulated: its user's guide, chapter 10; `test_kannel.py` runs the real one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from services.notify.providers.kind import ProviderContext
from services.notify.providers.provider import Provider
from services.notify.providers.sms.kannel import KIND, KannelSettings
from shared.runtime.clock import Clock
from tests.support.gateways.simulated_gateway import UNKNOWN_SUFFIX, SimulatedGateway
from tests.support.provider_peers.peer_kind import TIMEOUT, PeerKind, ProviderPeer

ENVIRONMENT = {"KANNEL_PASSWORD": "kannel password", "KANNEL_RECEIPTS": "kannel receipts"}
RECEIPTS_URL = "https://complaints.example.org/v1/receipts/kannel"


class KannelGateway(SimulatedGateway):
    async def answer(self, request: Request, body: bytes) -> Response:
        headers = request.headers
        if (headers.get("x-kannel-username"), headers.get("x-kannel-password")) != ("jiesu", ENVIRONMENT["KANNEL_PASSWORD"]):
            return PlainTextResponse("Authorization failed for sendsms", 403)
        if headers["x-kannel-to"].endswith(UNKNOWN_SUFFIX):
            return PlainTextResponse("Not routable. Do not try again.", 400)
        text = body.decode()
        self.message_file.add(str(len(self.message_file.messages)), {"to": headers["x-kannel-to"], "text": text})
        return PlainTextResponse("0: Accepted for delivery", 202)


def kannel_provider(port: int, timeout: float = TIMEOUT) -> Provider:
    settings = KannelSettings(
        url=f"http://127.0.0.1:{port}/cgi-bin/sendsms",
        username="jiesu",
        password_env="KANNEL_PASSWORD",
        receipt_secret_env="KANNEL_RECEIPTS",
        source="10690000",
    )
    return KIND.build(settings, ProviderContext("kannel", Clock(), timeout, RECEIPTS_URL, ENVIRONMENT))


@asynccontextmanager
async def connect(folder: Path) -> AsyncIterator[ProviderPeer]:
    async with KannelGateway(folder) as gateway:
        provider = kannel_provider(gateway.port, 5)
        yield ProviderPeer(
            provider,
            gateway.message_file,
            "+8613800000001",
            f"+861380000{UNKNOWN_SUFFIX}",
            lambda: gateway.queued.append(PlainTextResponse("Temporal failure, try again later.", 503)),
            lambda: gateway.queued.append(PlainTextResponse("Not routable. Do not try again.", 400)),
        )
        await provider.close()


PEER = PeerKind(kannel_provider, connect, "+8613800000001", recognises_repeats=False)
