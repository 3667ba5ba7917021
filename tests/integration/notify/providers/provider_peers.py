"""The kinds of providers in the shared suite, and sockets that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tests.support.provider_peers import aliyun, call_out, http, http_sms, kannel, robots, smpp, smtp, twilio
from tests.support.provider_peers.peer_kind import PeerKind

PEER_KINDS: dict[str, PeerKind] = {
    "aliyun": aliyun.PEER,
    "call_out": call_out.PEER,
    "dingtalk": robots.DINGTALK,
    "feishu": robots.FEISHU,
    "http": http.PEER,
    "http_sms": http_sms.PEER,
    "kannel": kannel.PEER,
    "smpp": smpp.PEER,
    "smtp": smtp.PEER,
    "twilio": twilio.PEER,
    "wecom": robots.WECOM,
}
ConnectionHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]


@asynccontextmanager
async def misbehaving_server(respond: ConnectionHandler) -> AsyncIterator[int]:
    """A server that calls `respond` for every connection and then closes it; yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        result = respond(reader, writer)
        if asyncio.iscoroutine(result):
            await result
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
