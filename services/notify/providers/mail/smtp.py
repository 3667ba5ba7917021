"""Sends e-mail through an SMTP server; the Message-ID contains the idempotency key, since SMTP itself cannot recognise a repeat."""

import asyncio
import re
import ssl
from dataclasses import replace

import aiosmtplib
from aiosmtplib import SMTPException

from services.notify.domain.failure_reason import FailureReason
from services.notify.domain.mail.layout import MailLayout
from services.notify.providers.mail.composing import MailReferences, MailSender, compose, needs_smtputf8
from services.notify.providers.mail.dkim_signing import DkimSigner
from services.notify.providers.mail.sessions import SmtpOptions, SmtpSessionPool
from services.notify.providers.provider import OutgoingMessage, SendAccepted, SendFailed
from shared.runtime.clock import Clock

# Reply codes (RFC 5321, RFC 4954) with their reason and whether it is permanent; any other 4xx is busy, any other 5xx refused.
SMTP_REPLY_REASONS: dict[int, tuple[FailureReason, bool]] = {
    421: (FailureReason.BUSY, False),  # the server closes the session
    454: (FailureReason.CREDENTIALS, False),  # TLS or authentication is temporarily unavailable
    530: (FailureReason.CREDENTIALS, False),
    534: (FailureReason.CREDENTIALS, False),
    535: (FailureReason.CREDENTIALS, False),
    538: (FailureReason.CREDENTIALS, False),
    502: (FailureReason.GARBAGE, False),  # 502 and 503: the server disagrees about the protocol, whatever the message
    503: (FailureReason.GARBAGE, False),
}
# Enhanced status codes (RFC 3463), e.g. 5.1.1.
_ENHANCED = re.compile(r"^\s*([245]\.\d{1,3}\.\d{1,3})\b")
# RFC 6531, 3.5: what a server without SMTPUTF8 replies to such an address; this one has none in its EHLO.
_NO_SMTPUTF8 = SendFailed(FailureReason.REFUSED, permanent=True, code="553 5.6.7")
_FIRST_TRANSIENT, _FIRST_PERMANENT, _LAST = 400, 500, 599


class SmtpProvider:
    """The provider of channel `email`; SMTP sessions are reused until an error occurs on them.

    With a `layout` each mail has an HTML twin, with a `signer` a DKIM signature.
    """

    channel = "email"

    def __init__(self, options: SmtpOptions, clock: Clock, layout: MailLayout | None = None, signer: DkimSigner | None = None) -> None:
        self._options = options
        self._clock = clock
        self._sender = MailSender.parse(options.sender)
        self._references = MailReferences(options.mail_key, options.reply_address) if options.mail_key else None
        self._layout = layout
        self._signer = signer
        self._sessions = SmtpSessionPool(options, self._sender.domain)

    async def send(self, message: OutgoingMessage) -> SendAccepted | SendFailed:
        """Send one mail; it is accepted with the server's reply 250 to its data, whatever happens to the session afterwards."""
        try:
            mail = compose(message, self._sender, self._clock.real_now(), self._layout, self._references)
        except ValueError:  # a line break in a header; rendering removes them
            return SendFailed(FailureReason.TEMPLATE, permanent=True)
        content = mail.content if self._signer is None else self._signer.sign(mail.content)
        options = ["SMTPUTF8", "BODY=8BITMIME"] if needs_smtputf8(message.address, self._sender.address) else []
        is_sending = False
        try:
            async with asyncio.timeout(self._options.timeout), self._sessions.session() as client:
                is_sending = True
                await client.sendmail(self._sender.address, [message.address], content, mail_options=options)
        except aiosmtplib.SMTPNotSupported:
            if options:
                return _NO_SMTPUTF8
            return SendFailed(FailureReason.CREDENTIALS, permanent=False)  # no STARTTLS or AUTH, which the operator can repair
        except (SMTPException, OSError, TimeoutError, ValueError) as error:
            failed = classify_error(error)
            # Without a reply the server may have the mail: no other provider may send it too.
            return replace(failed, in_doubt=is_sending and failed.reason is FailureReason.UNREACHABLE)
        return SendAccepted(mail.message_id)

    async def close(self) -> None:
        """End the idle sessions."""
        await self._sessions.close()


def classify_error(error: Exception) -> SendFailed:
    """The result for an error of the SMTP client."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return classify_error(error.recipients[0])
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _classify_reply(error.code, error.message)
    if isinstance(error, OSError | TimeoutError) and not isinstance(error, ssl.SSLError):
        return SendFailed(FailureReason.UNREACHABLE, permanent=False)
    # No STARTTLS or AUTH offered, or an invalid certificate: the operator can repair that, so the message is retried.
    return SendFailed(
        FailureReason.CREDENTIALS if isinstance(error, SMTPException | ssl.SSLError) else FailureReason.GARBAGE, permanent=False
    )


def _classify_reply(code: int, text: str) -> SendFailed:
    enhanced = _ENHANCED.match(text)
    codes = f"{code} {enhanced[1]}" if enhanced else str(code)
    if code in SMTP_REPLY_REASONS:
        reason, permanent = SMTP_REPLY_REASONS[code]
        return SendFailed(reason, permanent, codes)
    if _FIRST_PERMANENT <= code <= _LAST:
        return SendFailed(FailureReason.REFUSED, permanent=True, code=codes)
    if _FIRST_TRANSIENT <= code < _FIRST_PERMANENT:
        return SendFailed(FailureReason.BUSY, permanent=False, code=codes)
    return SendFailed(FailureReason.GARBAGE, permanent=False)
