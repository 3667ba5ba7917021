"""Takes the mails of all transports: reads them, commits them in groups, and sets aside mails that fail on their own."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import structlog

from services.intake.application.group_commit import GroupCommit
from services.intake.application.mail.mail_reading import MailReader
from services.intake.application.mail.mailbox import IncomingMail, MailResult, ReadMail
from services.intake.application.mail.take_mails import TakeMails
from services.intake.channels.mail.decision import MailDecision, MailOutcome
from services.intake.storage import mails
from shared.runtime.database.database import Database
from shared.runtime.process.failures import is_infrastructure, redacted_reason
from shared.runtime.tracing.spans import Span, SpanKind, Tracing

log = structlog.get_logger(__name__)


class MailIntake:
    """`take` returns after the commit: a transport may then answer 250, or delete the mail on its server."""

    def __init__(
        self, reader: MailReader, take_mails: TakeMails, database: Database, max_items: int, tracing: Tracing | None = None
    ) -> None:
        self._tracing = tracing or Tracing("intake")
        self._reader = reader
        self._database = database
        self._group_commit = GroupCommit(database, take_mails.take, max_items)

    async def take(self, batch: Sequence[IncomingMail]) -> list[MailResult]:
        """The outcome of each mail, in order; raises infrastructure errors, after which the same mails are handed over again."""
        spans = [self._start_span(mail) for mail in batch]
        read = await self._read(batch)
        traced = [replace(each, traceparent=span.traceparent) if span else each for each, span in zip(read, spans, strict=True)]
        # A span that an outage leaves without an end is never exported: its mail is handed over again under another.
        results = await self._commit(traced)
        for span, result in zip(spans, results, strict=True):
            if span is not None:
                span.set("jiesu.outcome", result.outcome)
                span.set("jiesu.case", result.case)
                span.end()
        return results

    async def set_aside(self, mail: IncomingMail, reason: str, digest: bytes) -> list[MailResult]:
        """Record a mail that is not read, such as one that is too large."""
        decision = MailDecision(MailOutcome.SET_ASIDE, reason, digest, received_at=mail.envelope.arrived_at)
        return await self._commit([ReadMail(mail, decision)])

    def _start_span(self, mail: IncomingMail) -> Span | None:
        return self._tracing.start_trace("receive mail", SpanKind.CONSUMER, {"jiesu.mailbox": mail.mailbox.id})

    async def _read(self, batch: Sequence[IncomingMail]) -> list[ReadMail]:
        """The mails with their attachments stored; those of a mail that was taken before, or is in the batch before, are not."""
        read = [ReadMail(mail, await self._reader.decide(mail)) for mail in batch]
        storing = {item.identity for item in read if self._reader.stores_for(item.decision)}
        known = await self._find_known(storing) if storing else set[tuple[str, bytes]]()
        result = list[ReadMail]()
        for item in read:
            if item.identity in known:
                result.append(replace(item, is_duplicate=True))
            else:
                result.append(await self._reader.with_attachments(item.mail, item.decision))
                known |= {item.identity} & storing
        return result

    async def _find_known(self, identities: Collection[tuple[str, bytes]]) -> set[tuple[str, bytes]]:
        async with self._database.transaction() as tx:
            return await mails.known_mails(tx, identities)

    async def _commit(self, batch: Sequence[ReadMail]) -> list[MailResult]:
        try:
            return list(await self._group_commit.submit(batch)) if batch else []
        except Exception as error:
            if is_infrastructure(error):
                raise
            if len(batch) > 1:
                return [result for read in batch for result in await self._commit([read])]
            # Poison: one mail that cannot be stored must not stop its mailbox.
            [read] = batch
            if read.decision.outcome is MailOutcome.SET_ASIDE:
                raise
            log.warning("mail set aside", mailbox=read.mail.mailbox.id, reason=redacted_reason(error))
            reason = f"fault: {type(error).__name__}"
            decision = replace(read.decision, outcome=MailOutcome.SET_ASIDE, reason=reason, report=None, message_id="", case="")
            return await self._commit([replace(read, decision=decision)])
