"""Closes digests that are due: their message is written, and the ordinary loop sends it."""

from services.notify import metrics
from services.notify.domain.digests.lines import LISTED_NUMBERS, LISTED_ROWS, DigestLine, render_digest
from services.notify.domain.failure_reason import FailureReason
from services.notify.domain.message_templates import MessageTemplates, TemplateRenderError
from services.notify.storage import carried_news, digests
from services.notify.storage.deliveries import DeliveryRow
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database, Transaction

_DIGESTS_PER_TRANSACTION = 20


class CloseDigests:
    """Writes the messages of digests that are due."""

    def __init__(self, database: Database, templates: MessageTemplates, clock: Clock) -> None:
        self._database = database
        self._templates = templates
        self._clock = clock

    async def close_due(self) -> int:
        """Close up to 20 digests that are due, urgent ones first; returns their number."""
        async with self._database.transaction() as tx:
            due = await digests.due_digests(tx, self._clock.real_now(), _DIGESTS_PER_TRANSACTION)
            for digest in due:
                await self._close(tx, digest)
        return len(due)

    async def _close(self, tx: Transaction, digest: DeliveryRow) -> None:
        rows, total = await digests.digest_rows(tx, digest.id, LISTED_ROWS + LISTED_NUMBERS)
        if total == 1:
            # No other request joined: the message keeps the text of its own template.
            [(_, subject, text)] = rows
            await digests.close_digest(tx, digest.id, "pending", subject, text)
            return
        try:
            lines = [DigestLine.decode(line) for line, _, _ in rows]
            message = render_digest(self._templates, digest.template, lines, total)
        except TemplateRenderError:
            reason = str(FailureReason.TEMPLATE)
            await digests.close_digest(tx, digest.id, "failed", "", "", reason)
            await carried_news.add_news(tx, [(digest.id, "failed", reason)], self._clock.now())
            tx.after_commit(lambda: metrics.count_failed(digest.channel, reason))
            return
        await digests.close_digest(tx, digest.id, "pending", message.subject, message.text)
        tx.after_commit(metrics.DIGESTS.labels(metrics.channel_label(digest.channel)).inc)
