"""E-mail through an SMTP server; the Message-ID is made of the idempotency key, for SMTP itself knows no repeated message."""

import asyncio
import re
import ssl
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from email.utils import format_datetime

import aiosmtplib
from aiosmtplib import SMTPException

from services.notify.domain.failure_reason import FailureReason
from services.notify.providers.provider import OutgoingMessage, SendAccepted, SendFailed
from services.notify.providers.smtp_sessions import SmtpOptions, SmtpSessionPool
from shared.runtime.clock import Clock

# Replies of RFC 5321 that mean something else than their first digit says; 4xx is otherwise busy, 5xx refused.
SMTP_REPLY_REASONS: dict[int, tuple[FailureReason, bool]] = {
    421: (FailureReason.BUSY, False),
    454: (FailureReason.CREDENTIALS, False),
    530: (FailureReason.CREDENTIALS, False),
    534: (FailureReason.CREDENTIALS, False),
    535: (FailureReason.CREDENTIALS, False),
    538: (FailureReason.CREDENTIALS, False),
    502: (FailureReason.GARBAGE, False),
    503: (FailureReason.GARBAGE, False),
}
_ENHANCED = re.compile(r"^\s*([245]\.\d{1,3}\.\d{1,3})\b")
_FIRST_PERMANENT, _LAST = 500, 599


class SmtpProvider:
    """The provider of the channel `email`; connections are kept while all goes well, and none outlives a fault."""

    channel = "email"

    def __init__(self, options: SmtpOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._domain = options.sender.rpartition("@")[2].rstrip(">") or "localhost"
        self._sender = options.sender.rpartition("<")[2].rstrip(">").strip()
        self._sessions = SmtpSessionPool(options, self._domain)

    async def send(self, message: OutgoingMessage) -> SendAccepted | SendFailed:
        """Hand one mail over; the server's final 250 is acceptance, whatever comes after it is no failure."""
        try:
            mail = self._mail(message)
        except ValueError:  # a line break where a header stands; rendering lets none through
            return SendFailed(FailureReason.TEMPLATE, permanent=True)
        try:
            async with asyncio.timeout(self._options.timeout), self._sessions.session() as client:
                await client.sendmail(self._sender, [message.address], mail.as_bytes())
        except (SMTPException, OSError, TimeoutError, ValueError) as error:
            return classify_error(error)
        return SendAccepted(mail["Message-ID"])

    async def close(self) -> None:
        """End the kept sessions."""
        await self._sessions.close()

    def _mail(self, message: OutgoingMessage) -> EmailMessage:
        mail = EmailMessage(policy=POLICY)
        mail["From"] = self._options.sender
        mail["To"] = message.address
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(self._clock.real_now())
        mail["Message-ID"] = f"<{message.idempotency_key}@{self._domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text, cte="base64")  # for servers without 8BITMIME
        return mail


def classify_error(error: Exception) -> SendFailed:
    """What an error of the SMTP client means for the message."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return classify_error(error.recipients[0])
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _reply(error.code, error.message)
    if isinstance(error, OSError | TimeoutError) and not isinstance(error, ssl.SSLError):
        return SendFailed(FailureReason.UNREACHABLE, permanent=False)
    # What is left: no STARTTLS or login offered, a wrong certificate. For the operator to mend, not the message's fault.
    return SendFailed(
        FailureReason.CREDENTIALS if isinstance(error, SMTPException | ssl.SSLError) else FailureReason.GARBAGE, permanent=False
    )


def _reply(code: int, text: str) -> SendFailed:
    enhanced = _ENHANCED.match(text)
    shown = f"{code} {enhanced[1]}" if enhanced else str(code)
    if code in SMTP_REPLY_REASONS:
        reason, permanent = SMTP_REPLY_REASONS[code]
        return SendFailed(reason, permanent, shown)
    if _FIRST_PERMANENT <= code <= _LAST:
        return SendFailed(FailureReason.REFUSED, permanent=True, code=shown)
    if 400 <= code < _FIRST_PERMANENT:  # noqa: PLR2004 - RFC 5321's transient replies
        return SendFailed(FailureReason.BUSY, permanent=False, code=shown)
    return SendFailed(FailureReason.GARBAGE, permanent=False)
