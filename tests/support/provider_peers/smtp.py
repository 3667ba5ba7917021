"""The server of `smtp`: the project's sink."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.sinks import MailSink
from services.notify.providers.mail.sessions import SmtpOptions
from services.notify.providers.mail.smtp import SmtpProvider
from services.notify.providers.provider import OutgoingMessage, SendAccepted, SendFailed
from shared.runtime.clock import Clock
from tests.support.provider_peers.peer_kind import TIMEOUT, PeerKind, ProviderPeer


def smtp_provider(port: int, **options: object) -> SmtpProvider:
    return SmtpProvider(SmtpOptions(**({"host": "127.0.0.1", "port": port, "security": "none", "timeout": TIMEOUT} | options)), Clock())  # type: ignore[arg-type]


async def send_mail(port: int, message: OutgoingMessage, **options: object) -> SendAccepted | SendFailed:
    """Send one mail through a new provider."""
    provider = smtp_provider(port, **options)
    result = await provider.send(message)
    await provider.close()
    return result


@asynccontextmanager
async def connect(folder: Path) -> AsyncIterator[ProviderPeer]:
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


PEER = PeerKind(smtp_provider, connect, "li@example.com", dribble=b"220-")
