"""Reads mails outside any transaction: decides the outcome of each, and stores its attachments."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.errors import MessageError

import structlog

from services.intake.application.mail.mailbox import IncomingMail, ReadMail
from services.intake.channels.mail.decision import MailDecision, MailOutcome, content_digest, decide_mail
from services.intake.channels.mail.message import UnreadableMailError
from shared.runtime.process.failures import redacted_reason

StoreAttachment = Callable[[str, bytes, str], Awaitable[str]]
"""`store(name, content, source)` returns what a submission names the attachment by; raises `AttachmentNotStored`."""
_IN_THREAD_BYTES = 100_000
_MAX_ATTACHMENT_NAME = 200
_WITH_ATTACHMENTS = frozenset({MailOutcome.SUBMISSION, MailOutcome.SUPPLEMENT})
_FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, MessageError, RuntimeError, TypeError, ValueError)
"""Errors of parsers, the standard library's and ours, for malformed bytes: only this mail is refused.

A lack of memory, or an outage, is no property of the mail: it is tried again.
"""
log = structlog.get_logger(__name__)


class AttachmentNotStored(ValueError):  # noqa: N818 - names what happened to it
    """The store refuses an attachment; the text is the rule that it breaks."""


@dataclass(frozen=True, slots=True)
class MailReader:
    """Reads mails; without `store` a submission has only the names of its attachments."""

    store: StoreAttachment | None = None

    async def decide(self, mail: IncomingMail) -> MailDecision:
        """The decision about the mail; a mail that cannot be read is set aside, with the reason."""
        # A large mail takes up to a second: the event loop goes on meanwhile.
        return await (asyncio.to_thread(_decide, mail) if len(mail.raw) > _IN_THREAD_BYTES else _decided(mail))

    def stores_for(self, decision: MailDecision) -> bool:
        """Whether the mail has attachments that would be stored."""
        return self.store is not None and decision.outcome in _WITH_ATTACHMENTS and bool(decision.attachments)

    async def with_attachments(self, mail: IncomingMail, decision: MailDecision) -> ReadMail:
        """The mail with the references of its attachments, which are stored now."""
        if decision.outcome not in _WITH_ATTACHMENTS:
            return ReadMail(mail, decision)
        references: list[str] = []
        notes: list[str] = []
        for name, content in decision.attachments:
            reference, note = await self._reference(name, content, mail.mailbox.context.source.id)
            references.append(reference)
            notes += [note] if note else []
        return ReadMail(mail, decision, tuple(references), tuple(dict.fromkeys(notes)))

    async def _reference(self, name: str, content: bytes, source: str) -> tuple[str, str]:
        if self.store is None or not content:
            return name[:_MAX_ATTACHMENT_NAME], ""
        try:
            return await self.store(name, content, source), ""
        except AttachmentNotStored as error:
            # The mail counts, whatever was attached to it.
            return name[:_MAX_ATTACHMENT_NAME], f"attachment: {error}"


async def _decided(mail: IncomingMail) -> MailDecision:
    return _decide(mail)


def _decide(mail: IncomingMail) -> MailDecision:
    try:
        return decide_mail(mail.raw, mail.mailbox.rules, mail.envelope)
    except UnreadableMailError as error:
        return _set_aside(mail, str(error))
    except _FAULTS as error:
        log.warning("mail could not be read", mailbox=mail.mailbox.id, reason=redacted_reason(error))
        return _set_aside(mail, f"fault: {type(error).__name__}")


def _set_aside(mail: IncomingMail, reason: str) -> MailDecision:
    return MailDecision(MailOutcome.SET_ASIDE, reason, content_digest(mail.raw), received_at=mail.envelope.arrived_at)
