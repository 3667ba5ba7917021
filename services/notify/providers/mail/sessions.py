"""Pools authenticated SMTP sessions, so that the next mail needs no new connection, TLS handshake and login."""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

import aiosmtplib
from aiosmtplib import SMTPException

from shared.runtime.clock import monotonic

_IDLE_SECONDS = 20.0
"""Servers close idle sessions; one that was idle for longer is not reused."""
_MAX_IDLE_SESSIONS = 20
_QUIT_TIMEOUT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class SmtpOptions:
    """The mail server and the options of its use; `timeout` is in seconds for one whole attempt.

    With `mail_key` the mails name their delivery and case for intake, replies go to `reply_address` with the case's token.
    """

    host: str
    port: int = 587
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)
    sender: str = "jiesu@localhost"
    timeout: float = 20.0
    ca_file: str = ""
    mail_key: bytes | None = field(default=None, repr=False)
    reply_address: str = ""


class SmtpSessionPool:
    """`async with pool.session() as client`: a session for one mail, closed at once if an error occurs."""

    def __init__(self, options: SmtpOptions, local_name: str) -> None:
        self._options = options
        self._local_name = local_name
        self._tls = None if options.security == "none" else ssl.create_default_context(cafile=options.ca_file or None)
        self._idle: deque[tuple[float, aiosmtplib.SMTP]] = deque()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """An idle session that answers RSET, or a new one; raises what aiosmtplib raises."""
        client = await self._reuse_idle() or await self._connect()
        try:
            yield client
        except BaseException:
            client.close()
            raise
        self._idle.append((monotonic(), client))
        if len(self._idle) > _MAX_IDLE_SESSIONS:
            self._idle.popleft()[1].close()

    async def close(self) -> None:
        """Send QUIT on all idle sessions."""
        while self._idle:
            await _quit(self._idle.pop()[1])

    async def _reuse_idle(self) -> aiosmtplib.SMTP | None:
        while self._idle:
            idle_since, client = self._idle.pop()
            is_alive = False
            try:
                # RSET before the mail: a session that the server has ended must not cost the message an attempt.
                is_alive = monotonic() - idle_since < _IDLE_SECONDS and await _answers_reset(client)
            finally:
                if not is_alive:
                    client.close()
            if is_alive:
                return client
        return None

    async def _connect(self) -> aiosmtplib.SMTP:
        options = self._options
        client = aiosmtplib.SMTP(
            hostname=options.host,
            port=options.port,
            timeout=options.timeout,
            use_tls=options.security == "tls",
            start_tls=options.security == "starttls",
            username=options.username or None,
            password=options.password or None,
            tls_context=self._tls,
            local_hostname=self._local_name,
        )
        try:
            await client.connect()
        except BaseException:
            client.close()
            raise
        return client


async def _answers_reset(client: aiosmtplib.SMTP) -> bool:
    try:
        await client.rset()
    except (SMTPException, OSError, TimeoutError):
        return False
    return True


async def _quit(client: aiosmtplib.SMTP) -> None:
    try:
        async with asyncio.timeout(_QUIT_TIMEOUT_SECONDS):
            await client.quit()
    except (SMTPException, OSError, TimeoutError):
        client.close()
