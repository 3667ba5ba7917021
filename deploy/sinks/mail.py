"""An SMTP server that stores the mails that it receives."""

import asyncio
import logging
import ssl
from collections import deque
from email import message_from_string
from email.header import decode_header, make_header
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from deploy.sinks.message_file import MessageFile

_MAX_MAIL_BYTES = 10 * 1024 * 1024
UNKNOWN_MAILBOX_PREFIX = "nobody@"
"""Recipients with this prefix get a permanent error, as for a mailbox that does not exist."""


class MailSink:
    """Listens for the length of a block: `async with MailSink(folder) as sink: sink.port`.

    Mails are stored in `message_file` (`mail.jsonl`), keyed by Message-ID. With `tls` the server requires STARTTLS, with `login`
    (name, password) a login; without `smtputf8` it takes ASCII addresses only. `queued_replies` are sent instead of accepting the next
    mails, such as `451 4.7.1 try again later`.
    """

    def __init__(
        self,
        folder: Path,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        tls: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
        smtputf8: bool = True,
    ) -> None:
        self.message_file = MessageFile(folder / "mail.jsonl")
        self.host = host
        self.port = port
        self.queued_replies: deque[str] = deque()
        self.contents: deque[bytes] = deque(maxlen=100)
        """The last mails as they arrived."""
        self.sessions: deque[SMTP] = deque(maxlen=100)
        self._tls = tls
        self._login = login
        self._smtputf8 = smtputf8
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        logging.getLogger("mail.log").setLevel(logging.WARNING)  # at INFO aiosmtpd logs every address
        loop = asyncio.get_running_loop()
        create_smtp = partial(
            SMTP,
            self,
            hostname="localhost",
            ident="Jiesu mail sink",
            data_size_limit=_MAX_MAIL_BYTES,
            tls_context=self._tls,
            require_starttls=self._tls is not None,
            auth_required=self._login is not None,
            authenticator=self._authenticate,
            enable_SMTPUTF8=self._smtputf8,
            loop=loop,
        )

        def open_session() -> SMTP:
            self.sessions.append(create_smtp())
            return self.sessions[-1]

        self._server = await loop.create_server(open_session, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._server is not None:
            self._server.close()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's hook
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Accept a recipient, or refuse an unknown mailbox."""
        if address.lower().startswith(UNKNOWN_MAILBOX_PREFIX):
            return "550 5.1.1 no such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's hook
        """Store a mail, or send the next queued reply."""
        if self.queued_replies:
            return self.queued_replies.popleft()
        content = cast("bytes", envelope.content)
        self.contents.append(content)
        # With SMTPUTF8 headers are UTF-8 as they stand (RFC 6532).
        mail = message_from_string(content.decode("utf-8", "surrogateescape"))
        parts = {part.get_content_type(): part.get_payload(decode=True) for part in mail.walk()}
        self.message_file.add(
            str(mail["Message-ID"]),
            {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "subject": str(make_header(decode_header(mail["Subject"] or ""))),
                "text": _decoded(parts.get("text/plain")),
                **({"html": _decoded(parts["text/html"])} if "text/html" in parts else {}),
                "headers": [name for name, _ in mail.items()],
            },
        )
        return "250 2.0.0 stored"

    def _authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, credentials: object) -> AuthResult:
        name, password = self._login or ("", "")
        expected = (name.encode(), password.encode())
        success = isinstance(credentials, LoginPassword) and (credentials.login, credentials.password) == expected
        # Not handled, since only then aiosmtpd replies to a refused login; its default leaves the client waiting.
        return AuthResult(success=success, handled=False)


def _decoded(body: object) -> str:
    return body.decode("utf-8", "replace").replace("\r\n", "\n") if isinstance(body, bytes) else ""
