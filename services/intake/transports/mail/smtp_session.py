"""SMTP and LMTP sessions with the limits that the library leaves to its caller: bytes, and an orderly end."""

import asyncio
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP

_TOO_LARGE = b"552 5.3.4 the mail is larger than the announced SIZE\r\n"
_STOPPING = b"421 4.3.2 shutting down, try again\r\n"
_BUSY = b"421 4.3.2 too many connections, try again later\r\n"
_BEGIN_DATA = "354 "
COMMAND_LIMITS = {"NOOP": 50, "VRFY": 10, "HELP": 10, "*": 20_000}
"""How often a session may use a command: without a bound, one that only sends NOOP keeps its place for ever."""


class SessionLimits(SMTP):
    """Closes a session that sends more than `max_unanswered` bytes between two replies.

    The library reads a line without end into memory, and a mail that is too large to its end.
    """

    # RFC 5321 lets a server take more than its 1,000 octets: programs write HTML and lists of recipients in one line.
    line_length_limit = 1_000_000

    def __init__(self, handler: Any, sessions: set["SessionLimits"], max_unanswered: int, **options: Any) -> None:
        super().__init__(handler, **options)
        self.closed = asyncio.get_running_loop().create_future()
        self._sessions = sessions
        self._max_unanswered = max_unanswered
        self._unanswered = 0
        self._in_data = False
        self._stopping = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the session; called again after STARTTLS."""
        self._sessions.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """End of the session."""
        self._sessions.discard(self)
        super().connection_lost(error)
        if not self.closed.done():
            self.closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Hand data on within the limit."""
        self._unanswered += len(data)
        if self._unanswered > self._max_unanswered:
            self._end(_TOO_LARGE)
            return
        super().data_received(data)

    async def push(self, status: Any) -> None:
        """Send a reply."""
        self._unanswered = 0
        self._in_data = str(status).startswith(_BEGIN_DATA)
        await super().push(status)
        if self._stopping and not self._in_data:
            self._end(_STOPPING)

    def close_when_idle(self) -> None:
        """End the session, after its mail if it is sending one: without the reply the sender would send it again."""
        self._stopping = True
        if not self._in_data:
            self._end(_STOPPING)

    def _end(self, reply: bytes) -> None:
        transport = self.transport
        if isinstance(transport, asyncio.WriteTransport) and not transport.is_closing():
            transport.write(reply)
            transport.close()


class LmtpSessionLimits(LMTP, SessionLimits):
    """The same for LMTP."""


class RefusedSession(asyncio.Protocol):
    """A session beyond the limit of connections."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask the sender to try again, and close."""
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(_BUSY)
            transport.close()
