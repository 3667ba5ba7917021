"""Twilio's Messages resource, simulated as its reference describes it."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.notify.domain.sms.parts import count_parts
from services.notify.providers.kind import ProviderContext
from services.notify.providers.provider import Provider
from services.notify.providers.sms.twilio import KIND, TwilioSettings
from shared.runtime.clock import Clock
from tests.support.gateways.simulated_gateway import UNKNOWN_SUFFIX, SimulatedGateway
from tests.support.provider_peers.peer_kind import TIMEOUT, PeerKind, ProviderPeer

ACCOUNT = "AC" + "0" * 32
ENVIRONMENT = {"TWILIO_TOKEN": "12345"}
RECEIPTS_URL = "https://complaints.example.org/v1/receipts/twilio"


def problem(code: int, status: int) -> JSONResponse:
    """Twilio's error object."""
    return JSONResponse(
        {"code": code, "message": "+8613800000001 …", "more_info": f"https://www.twilio.com/docs/errors/{code}", "status": status}, status
    )


class TwilioGateway(SimulatedGateway):
    async def answer(self, request: Request, body: bytes) -> Response:
        expected = "Basic " + base64.b64encode(f"{ACCOUNT}:{ENVIRONMENT['TWILIO_TOKEN']}".encode()).decode()
        if request.headers.get("authorization") != expected:
            return problem(20003, 401)
        if request.url.path != f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json" or request.method != "POST":
            return problem(20404, 404)
        form = {name: values[0] for name, values in parse_qs(body.decode(), strict_parsing=True).items()}
        if not {"To", "From", "Body"} <= set(form) or len(form["Body"]) > 1600:
            return problem(21617, 400)
        if form["To"].endswith(UNKNOWN_SUFFIX):
            return problem(21211, 400)
        sid = f"SM{len(self.message_file.messages):032x}"
        self.message_file.add(sid, {"to": form["To"], "text": form["Body"], "callback": form.get("StatusCallback", "")})
        created = {
            "sid": sid,
            "status": "queued",
            "num_segments": str(count_parts(form["Body"]).parts),
            "to": form["To"],
            "error_code": None,
        }
        return JSONResponse(created, 201)


def twilio_provider(port: int, timeout: float = TIMEOUT) -> Provider:
    settings = TwilioSettings(account_sid=ACCOUNT, auth_token_env="TWILIO_TOKEN", source="+12125550100", url=f"http://127.0.0.1:{port}")
    return KIND.build(settings, ProviderContext("twilio", Clock(), timeout, RECEIPTS_URL, ENVIRONMENT))


@asynccontextmanager
async def connect(folder: Path) -> AsyncIterator[ProviderPeer]:
    async with TwilioGateway(folder) as gateway:
        provider = twilio_provider(gateway.port, 5)
        yield ProviderPeer(
            provider,
            gateway.message_file,
            "+8613800000001",
            f"+861380000{UNKNOWN_SUFFIX}",
            lambda: gateway.queued.append(problem(20429, 429)),
            lambda: gateway.queued.append(problem(21610, 400)),
        )
        await provider.close()


PEER = PeerKind(twilio_provider, connect, "+8613800000001", recognises_repeats=False)
