"""Receives mails by SMTP (RFC 5321) or LMTP (RFC 2033): 250 only after the commit, 4xx while the database is away."""

import asyncio
import logging
import ssl
from collections.abc import Mapping

import structlog
from aiosmtpd.smtp import SMTP, Session
from aiosmtpd.smtp import Envelope as SmtpEnvelope

from services.intake.application.mail.mail_intake import MailIntake
from services.intake.application.mail.mailbox import IncomingMail, Mailbox, MailResult
from services.intake.channels.mail.decision import Envelope, MailOutcome
from services.intake.transports.mail.config import SmtpPortSettings
from services.intake.transports.mail.smtp_session import COMMAND_LIMITS, LmtpSessionLimits, RefusedSession, SessionLimits
from shared.contracts.mail.references import case_of_reply_address
from shared.runtime.clock import Clock
from shared.runtime.errors import Misconfigured
from shared.runtime.process.failures import is_infrastructure, redacted_reason

_ACCEPTED = "250 2.0.0 taken"
_TRY_AGAIN = "451 4.3.0 the mail cannot be stored at the moment, try again"
_NO_RECIPIENT = "550 5.1.1 no such recipient here"
_TOO_MANY_RECIPIENTS = "452 4.5.3 too many recipients"
_MAX_RECIPIENTS = 100
_SERVER_NAME = "jiesu"
# Above the announced size a mail is read to its end for the reply 552, so far.
_BYTES_BEYOND_A_MAIL = 200_000
_STOP_SECONDS = 5.0
log = structlog.get_logger(__name__)
logging.getLogger("mail.log").setLevel(logging.ERROR)  # it logs the peer's address and commands at every connection


class MailHandler:
    """The hooks of aiosmtpd: check of recipients, and taking of mails."""

    def __init__(self, mailboxes: Mapping[str, Mailbox], key: bytes | None, intake: MailIntake, clock: Clock) -> None:
        self._mailboxes = mailboxes
        self._key = key
        self._intake = intake
        self._clock = clock

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: SMTP, _session: Session, envelope: SmtpEnvelope, address: str, _options: list[str]
    ) -> str:
        """Accept the configured addresses, and reply addresses that carry the token of a case; nothing is relayed."""
        if self.mailbox_of(address) is None:
            return _NO_RECIPIENT
        if len(envelope.rcpt_tos) >= _MAX_RECIPIENTS:
            return _TOO_MANY_RECIPIENTS
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 recipient accepted"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: SmtpEnvelope) -> str:  # noqa: N802 - the library's name
        """Take the mail once for each mailbox that it is addressed to."""
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode("utf-8", "surrogateescape")
        recipients = list(envelope.rcpt_tos)
        mailboxes = {mailbox.id: mailbox for recipient in recipients if (mailbox := self.mailbox_of(recipient)) is not None}
        known = Envelope(self._clock.real_now(), envelope.mail_from or "", recipients)
        try:
            results = await self._intake.take([IncomingMail(raw, mailbox, known) for mailbox in mailboxes.values()])
        except Exception as error:
            if not is_infrastructure(error):
                raise
            log.warning("mail could not be stored", reason=redacted_reason(error))
            return _TRY_AGAIN
        return _answer(results)

    async def handle_exception(self, error: Exception) -> str:
        """The reply after a fault of ours: the sender keeps the mail and tries again."""
        log.error("mail session failed", reason=redacted_reason(error))
        return _TRY_AGAIN

    def mailbox_of(self, address: str) -> Mailbox | None:
        """The mailbox of a recipient, for a reply address the one whose address it extends, else the first."""
        lowered = address.lower()
        if mailbox := self._mailboxes.get(lowered):
            return mailbox
        if self._key is None or case_of_reply_address(self._key, lowered) is None:
            return None
        local_part, _, domain = lowered.rpartition("@")
        return self._mailboxes.get(f"{local_part.rpartition('+')[0]}@{domain}") or next(iter(self._mailboxes.values()), None)


def _answer(results: list[MailResult]) -> str:
    """The reply to a mail: a refusal if no mailbox took it, so that the sender is notified; there is no other copy."""
    refused = [result for result in results if result.outcome in {MailOutcome.SET_ASIDE, MailOutcome.REFUSED}]
    if len(refused) < len(results):
        return _ACCEPTED
    # The reason is a word of ours or a rule, never text of the mail.
    return f"554 5.6.0 the mail cannot be taken: {refused[0].reason}" if refused else _NO_RECIPIENT


class SmtpPort:
    """Listens until stopped; `port` is the bound port."""

    def __init__(self, settings: SmtpPortSettings, handler: MailHandler, max_bytes: int) -> None:
        self._settings = settings
        self._handler = handler
        self._max_bytes = max_bytes
        self._tls = _tls_context(settings)
        self._sessions = set[SessionLimits]()
        self.port = 0
        self.listening = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop`, and let sessions finish the mail that they are sending."""
        server = await asyncio.get_running_loop().create_server(self._new_session, self._settings.host, self._settings.port)
        self.port = server.sockets[0].getsockname()[1]
        self.listening.set()
        log.info("receiving mail", port=self.port, protocol=self._settings.protocol)
        try:
            await stop.wait()
        finally:
            server.close()
            sessions = list(self._sessions)
            for session in sessions:
                session.close_when_idle()
        if sessions:
            await asyncio.wait([session.closed for session in sessions], timeout=_STOP_SECONDS)

    def _new_session(self) -> asyncio.Protocol:
        if len(self._sessions) >= self._settings.connections:
            return RefusedSession()
        kind = LmtpSessionLimits if self._settings.protocol == "lmtp" else SessionLimits
        return kind(
            self._handler,
            self._sessions,
            self._max_bytes + _BYTES_BEYOND_A_MAIL,
            self._settings.mail_seconds,
            data_size_limit=self._max_bytes,
            enable_SMTPUTF8=True,
            hostname=_SERVER_NAME,
            ident=_SERVER_NAME,
            tls_context=self._tls,
            require_starttls=self._settings.require_tls,
            timeout=self._settings.timeout,
            command_call_limit=COMMAND_LIMITS,
            loop=asyncio.get_running_loop(),
        )


def _tls_context(settings: SmtpPortSettings) -> ssl.SSLContext | None:
    if settings.certificate_file is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.certificate_file, settings.key_file)
    except OSError as error:
        raise Misconfigured("JIESU_MAILBOXES: port.certificate_file and port.key_file cannot be read as PEM; correct them") from error
    return context
