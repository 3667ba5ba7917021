"""Peers that a provider is tried against: our sinks, and sockets that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import Response

from deploy.sinks import MailSink, SmsSink
from deploy.sinks.message_file import Box
from services.notify.providers.http_sms import HttpSms, SmsOptions
from services.notify.providers.provider import Accepted, Outgoing, Provider, Refused
from services.notify.providers.smtp import Smtp
from services.notify.providers.smtp_sessions import SmtpOptions
from shared.runtime.clock import Clock

TOKEN = "a token"
TIMEOUT = 0.5
Respond = Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]


@dataclass
class Peer:
    """A provider connected to a peer that behaves well, until it is told to refuse."""

    provider: Provider
    box: Box
    address: str
    unknown: str
    """An address that the peer refuses for good."""
    busy: Callable[[], None]
    """Let the next message be put off."""
    refuse: Callable[[], None]
    """Let the next message be refused for good."""


def smtp(port: int, **options: object) -> Smtp:
    return Smtp(SmtpOptions(**({"host": "127.0.0.1", "port": port, "security": "none", "timeout": TIMEOUT} | options)), Clock())  # type: ignore[arg-type]


async def mailed(port: int, message: Outgoing, **options: object) -> Accepted | Refused:
    """One mail by a provider of its own."""
    provider = smtp(port, **options)
    result = await provider.send(message)
    await provider.close()
    return result


def http_sms(port: int, token: str = TOKEN) -> HttpSms:
    return HttpSms(SmsOptions(f"http://127.0.0.1:{port}", token, timeout=TIMEOUT))


BUILDERS: dict[str, Callable[[int], Provider]] = {"smtp": smtp, "http_sms": http_sms}


@asynccontextmanager
async def peer(kind: str, folder: Path) -> AsyncIterator[Peer]:
    """A sink and the provider that speaks to it."""
    if kind == "smtp":
        async with MailSink(folder) as mail:
            provider = smtp(mail.port, timeout=5)
            yield Peer(
                provider,
                mail.box,
                "li@example.com",
                "nobody@example.com",
                lambda: mail.replies.append("451 4.7.1 li@example.com, come back later"),
                lambda: mail.replies.append("554 5.6.0 li@example.com, we do not like it"),
            )
            await provider.close()
    else:
        async with SmsSink(folder, token=TOKEN) as sms:
            gateway = HttpSms(SmsOptions(sms.url, TOKEN, timeout=5))
            yield Peer(
                gateway,
                sms.box,
                "+8613800000001",
                "+8613800000550",
                lambda: sms.answers.append(Response(status_code=503, headers={"retry-after": "7"})),
                lambda: sms.answers.append(Response(status_code=400)),
            )
            await gateway.close()


@asynccontextmanager
async def misbehaving(respond: Respond) -> AsyncIterator[int]:
    """A socket that does to every connection what `respond` says; gives its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        result = respond(reader, writer)
        if asyncio.iscoroutine(result):
            await result
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
