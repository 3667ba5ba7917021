"""SMTP and LMTP sessions with the limits that the library leaves to its caller: bytes, and an orderly end."""

import asyncio
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP

_TOO_LARGE = b"552 5.3.4 the mail is larger than the announced SIZE\r\n"
_TOO_SLOW = b"421 4.4.2 the mail took too long, try again\r\n"
_END_OF_DATA = b"\r\n.\r\n"
# Of a mail that is too large, for a client that reads the reply only after it has sent everything.
_DISCARDED_TIMES = 5
_STOPPING = b"421 4.3.2 shutting down, try again\r\n"
_BUSY = b"421 4.3.2 too many connections, try again later\r\n"
_BEGIN_DATA = "354 "
COMMAND_LIMITS = {"NOOP": 50, "VRFY": 10, "HELP": 10, "*": 20_000}
"""How often a session may use a command: without a bound, one that only sends NOOP keeps its place for ever."""


class SessionLimits(SMTP):
    """Ends a session that sends more than `max_unanswered` bytes between two replies, or a mail for longer than `mail_seconds`.

    The library reads a line without end into memory, a mail that is too large to its end, and counts its timeout from the last command.
    """

    # RFC 5321 lets a server take more than its 1,000 octets: programs write HTML and lists of recipients in one line.
    line_length_limit = 1_000_000

    def __init__(self, handler: Any, sessions: set["SessionLimits"], max_unanswered: int, mail_seconds: float, **options: Any) -> None:
        super().__init__(handler, **options)
        self.closed = asyncio.get_running_loop().create_future()
        self._sessions = sessions
        self._max_unanswered = max_unanswered
        self._mail_seconds = mail_seconds
        self._unanswered = 0
        self._recipients = 0
        self._in_data = False
        self._mail_end: asyncio.TimerHandle | None = None
        self._discarded_tail: bytes | None = None
        self._stopping = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the session; called again after STARTTLS."""
        self._sessions.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """End of the session."""
        self._end_of_mail()
        self._sessions.discard(self)
        super().connection_lost(error)
        if not self.closed.done():
            self.closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Hand data on within the limit."""
        self._unanswered += len(data)
        if self._in_data:
            self._reset_timeout()
        if self._discarded_tail is not None:
            self._discard(data)
        elif self._unanswered <= self._max_unanswered:
            super().data_received(data)
        elif self._in_data:
            self._refuse_the_rest(data)
        else:
            self._end(_TOO_LARGE)

    async def push(self, status: Any) -> None:
        """Send a reply."""
        self._unanswered = 0
        self._end_of_mail()
        if str(status).startswith(_BEGIN_DATA):
            self._in_data, self._recipients = True, len(self.envelope.rcpt_tos) if self.envelope else 0
            self._mail_end = asyncio.get_running_loop().call_later(self._mail_seconds, self._end, _TOO_SLOW)
        await super().push(status)
        if self._stopping and not self._in_data:
            self._end(_STOPPING)

    def replies(self, reply: bytes) -> bytes:
        """The replies that end a mail."""
        return reply

    def _end_of_mail(self) -> None:
        self._in_data = False
        if self._mail_end is not None:
            self._mail_end.cancel()
            self._mail_end = None

    def _refuse_the_rest(self, data: bytes) -> None:
        # Closed with data that were not read, a connection is reset, and the client loses the reply.
        self._write(self.replies(_TOO_LARGE))
        self._discarded_tail = b""
        self._discard(data)

    def _discard(self, data: bytes) -> None:
        self._discarded_tail = ((self._discarded_tail or b"") + data[-len(_END_OF_DATA) :])[-len(_END_OF_DATA) :]
        if self._discarded_tail == _END_OF_DATA or self._unanswered > _DISCARDED_TIMES * self._max_unanswered:
            self._close()

    def close_when_idle(self) -> None:
        """End the session, after its mail if it is sending one: without the reply the sender would send it again."""
        self._stopping = True
        if not self._in_data:
            self._end(_STOPPING)

    def _end(self, reply: bytes) -> None:
        self._write(reply)
        self._close()

    def _write(self, reply: bytes) -> None:
        transport = self.transport
        if isinstance(transport, asyncio.WriteTransport) and not transport.is_closing():
            transport.write(reply)

    def _close(self) -> None:
        if self.transport is not None:
            self.transport.close()


class LmtpSessionLimits(LMTP, SessionLimits):
    """The same for LMTP, where a mail ends with a reply for each recipient: its client keeps the mail for those that were refused."""

    async def push(self, status: Any) -> None:
        """Send a reply, after a mail one for each recipient."""
        await super().push("\r\n".join([str(status)] * self._recipients) if self._in_data else status)

    def replies(self, reply: bytes) -> bytes:
        """One for each recipient."""
        return reply * self._recipients


class RefusedSession(asyncio.Protocol):
    """A session beyond the limit of connections."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask the sender to try again, and close."""
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(_BUSY)
            transport.close()
