"""The gateway of `http_sms`: the project's sink."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import Response

from deploy.sinks import SmsSink
from services.notify.providers.sms.http_sms import HttpSmsOptions, HttpSmsProvider
from tests.support.provider_peers.peer_kind import TIMEOUT, PeerKind, ProviderPeer

SMS_TOKEN = "a token"


def sms_provider(port: int) -> HttpSmsProvider:
    return HttpSmsProvider(HttpSmsOptions(f"http://127.0.0.1:{port}", SMS_TOKEN, timeout=TIMEOUT))


@asynccontextmanager
async def connect(folder: Path) -> AsyncIterator[ProviderPeer]:
    async with SmsSink(folder, token=SMS_TOKEN) as sms:
        gateway = HttpSmsProvider(HttpSmsOptions(sms.url, SMS_TOKEN, timeout=5))
        yield ProviderPeer(
            gateway,
            sms.message_file,
            "+8613800000001",
            "+8613800000550",
            lambda: sms.queued_responses.append(Response(status_code=503, headers={"retry-after": "7"})),
            lambda: sms.queued_responses.append(Response(status_code=400)),
        )
        await gateway.close()


PEER = PeerKind(sms_provider, connect, "+8613800000001")
