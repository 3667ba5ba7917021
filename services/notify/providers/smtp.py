"""E-mail through an SMTP server; the Message-ID is made of the idempotency key, for SMTP itself knows no repeated message."""

import asyncio
import re
import ssl
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from email.utils import format_datetime

import aiosmtplib
from aiosmtplib import SMTPException

from services.notify.domain.failure_reason import Reason
from services.notify.providers.provider import Accepted, Outgoing, Refused
from services.notify.providers.smtp_sessions import SmtpOptions, SmtpSessions
from shared.runtime.clock import Clock

# Replies of RFC 5321 that mean something else than their first digit says; 4xx is otherwise busy, 5xx refused.
STATUS: dict[int, tuple[Reason, bool]] = {
    421: (Reason.BUSY, False),
    454: (Reason.CREDENTIALS, False),
    530: (Reason.CREDENTIALS, False),
    534: (Reason.CREDENTIALS, False),
    535: (Reason.CREDENTIALS, False),
    538: (Reason.CREDENTIALS, False),
    502: (Reason.GARBAGE, False),
    503: (Reason.GARBAGE, False),
}
_ENHANCED = re.compile(r"^\s*([245]\.\d{1,3}\.\d{1,3})\b")
_FIRST_PERMANENT, _LAST = 500, 599


class Smtp:
    """The provider of the channel `email`; connections are kept while all goes well, and none outlives a fault."""

    channel = "email"

    def __init__(self, options: SmtpOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._domain = options.sender.rpartition("@")[2].rstrip(">") or "localhost"
        self._sender = options.sender.rpartition("<")[2].rstrip(">").strip()
        self._sessions = SmtpSessions(options, self._domain)

    async def send(self, message: Outgoing) -> Accepted | Refused:
        """Hand one mail over; the server's final 250 is acceptance, whatever comes after it is no failure."""
        try:
            mail = self._mail(message)
        except ValueError:  # a line break where a header stands; rendering lets none through
            return Refused(Reason.TEMPLATE, permanent=True)
        try:
            async with asyncio.timeout(self._options.timeout), self._sessions.session() as client:
                await client.sendmail(self._sender, [message.to], mail.as_bytes())
        except (SMTPException, OSError, TimeoutError, ValueError) as error:
            return classify(error)
        return Accepted(mail["Message-ID"])

    async def close(self) -> None:
        """End the kept sessions."""
        await self._sessions.close()

    def _mail(self, message: Outgoing) -> EmailMessage:
        mail = EmailMessage(policy=POLICY)
        mail["From"] = self._options.sender
        mail["To"] = message.to
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(self._clock.real())
        mail["Message-ID"] = f"<{message.key}@{self._domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text, cte="base64")  # for servers without 8BITMIME
        return mail


def classify(error: Exception) -> Refused:
    """What an error of the SMTP client means for the message."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return classify(error.recipients[0])
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _reply(error.code, error.message)
    if isinstance(error, OSError | TimeoutError) and not isinstance(error, ssl.SSLError):
        return Refused(Reason.UNREACHABLE, permanent=False)
    # What is left: no STARTTLS or login offered, a wrong certificate. For the operator to mend, not the message's fault.
    return Refused(Reason.CREDENTIALS if isinstance(error, SMTPException | ssl.SSLError) else Reason.GARBAGE, permanent=False)


def _reply(code: int, text: str) -> Refused:
    enhanced = _ENHANCED.match(text)
    shown = f"{code} {enhanced[1]}" if enhanced else str(code)
    if code in STATUS:
        reason, permanent = STATUS[code]
        return Refused(reason, permanent, shown)
    if _FIRST_PERMANENT <= code <= _LAST:
        return Refused(Reason.REFUSED, permanent=True, code=shown)
    if 400 <= code < _FIRST_PERMANENT:  # noqa: PLR2004 - RFC 5321's transient replies
        return Refused(Reason.BUSY, permanent=False, code=shown)
    return Refused(Reason.GARBAGE, permanent=False)
