"""Peers of providers: the project's sinks, and sockets that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import Response

from deploy.sinks import MailSink, SmsSink
from deploy.sinks.message_file import MessageFile
from services.notify.providers.mail.sessions import SmtpOptions
from services.notify.providers.mail.smtp import SmtpProvider
from services.notify.providers.provider import OutgoingMessage, Provider, SendAccepted, SendFailed
from services.notify.providers.sms.http_sms import HttpSmsOptions, HttpSmsProvider
from shared.runtime.clock import Clock

SMS_TOKEN = "a token"
TIMEOUT = 0.5
ConnectionHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]


@dataclass
class ProviderPeer:
    """A provider connected to a sink; the callables make the sink answer the next message with an error."""

    provider: Provider
    message_file: MessageFile
    address: str
    unknown_address: str
    """An address that the peer refuses permanently."""
    defer_next: Callable[[], None]
    """Refuse the next message for now."""
    refuse_next: Callable[[], None]
    """Refuse the next message permanently."""


def smtp_provider(port: int, **options: object) -> SmtpProvider:
    return SmtpProvider(SmtpOptions(**({"host": "127.0.0.1", "port": port, "security": "none", "timeout": TIMEOUT} | options)), Clock())  # type: ignore[arg-type]


async def send_mail(port: int, message: OutgoingMessage, **options: object) -> SendAccepted | SendFailed:
    """Send one mail through a new provider."""
    provider = smtp_provider(port, **options)
    result = await provider.send(message)
    await provider.close()
    return result


def sms_provider(port: int, token: str = SMS_TOKEN) -> HttpSmsProvider:
    return HttpSmsProvider(HttpSmsOptions(f"http://127.0.0.1:{port}", token, timeout=TIMEOUT))


PROVIDER_BUILDERS: dict[str, Callable[[int], Provider]] = {"smtp": smtp_provider, "http_sms": sms_provider}


@asynccontextmanager
async def connected_peer(kind: str, folder: Path) -> AsyncIterator[ProviderPeer]:
    """A sink and a provider that sends to it."""
    if kind == "smtp":
        async with MailSink(folder) as mail:
            provider = smtp_provider(mail.port, timeout=5)
            yield ProviderPeer(
                provider,
                mail.message_file,
                "li@example.com",
                "nobody@example.com",
                lambda: mail.queued_replies.append("451 4.7.1 li@example.com, come back later"),
                lambda: mail.queued_replies.append("554 5.6.0 li@example.com, we do not like it"),
            )
            await provider.close()
    else:
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
