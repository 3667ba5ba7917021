"""Sessions with a mail server: logged in, encrypted, and used again for the next mail while all goes well."""

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
"""Servers hang up on the idle; a session that has waited longer is not tried again."""
_MAX_IDLE_SESSIONS = 20
_QUIT_TIMEOUT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class SmtpOptions:
    """Where and how to hand mail over; `timeout` in seconds for one whole attempt."""

    host: str
    port: int = 587
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)
    sender: str = "jiesu@localhost"
    timeout: float = 20.0
    ca_file: str = ""


class SmtpSessionPool:
    """`async with sessions.session() as client`: a session of its own for one mail, closed at once when anything goes wrong."""

    def __init__(self, options: SmtpOptions, local_name: str) -> None:
        self._options = options
        self._local_name = local_name
        self._tls = None if options.security == "none" else ssl.create_default_context(cafile=options.ca_file or None)
        self._idle: deque[tuple[float, aiosmtplib.SMTP]] = deque()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """Raises what aiosmtplib raises; a server may allow few mails a session, so a kept one proves itself before it gets one."""
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
        """Say goodbye on all kept sessions."""
        while self._idle:
            await _quit(self._idle.pop()[1])

    async def _reuse_idle(self) -> aiosmtplib.SMTP | None:
        while self._idle:
            since, client = self._idle.pop()
            answers = False
            try:
                answers = monotonic() - since < _IDLE_SECONDS and await _is_alive(client)
            finally:
                if not answers:
                    client.close()
            if answers:
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


async def _is_alive(client: aiosmtplib.SMTP) -> bool:
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
