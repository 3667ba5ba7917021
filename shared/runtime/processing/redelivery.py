"""Redelivery: settles dead letters on an operator's request and releases their cases."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import cast

import structlog

from shared.runtime.database.database import Database, Transaction
from shared.runtime.database.looks import IDLE_POLL_SECONDS
from shared.runtime.dead_letters import store
from shared.runtime.dead_letters.operations import DISCARD, DISCARDED, OPEN, REPLAY, REPLAYED
from shared.runtime.dead_letters.parking import RECORD_COLUMNS, record_from_row
from shared.runtime.kafka.record import FailedRecord, RawRecord, ReceivedRecord
from shared.runtime.kafka.record_decoder import RecordDecoder
from shared.runtime.outbox.unsendable import OUTBOX_PSEUDO_TOPIC, resend
from shared.runtime.process import metrics
from shared.runtime.process.failures import is_infrastructure, redacted_reason
from shared.runtime.process.waiting import wait_for_any
from shared.runtime.processing import inbox
from shared.runtime.processing.failure_isolation import BatchHandler
from shared.runtime.processing.record_spans import RecordSpans
from shared.runtime.timers.firing import TIMER_PSEUDO_TOPIC
from shared.runtime.tracing.context import working_on
from shared.runtime.tracing.spans import Tracing

HAS_REQUESTS = f"EXISTS (SELECT FROM dead_letter WHERE status IN ('{REPLAY}', '{DISCARD}'))"
"""SQL condition of a look."""
# SKIP LOCKED: every process of the service carries out requests.
_NEXT_REQUEST = f"""
SELECT id, status, {RECORD_COLUMNS} FROM dead_letter WHERE status = ANY($1::text[]) ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - constants
_RECORD_FAILURE = "UPDATE dead_letter SET status = $2, attempts = attempts + 1, reason = $3 WHERE id = $1"
_BACKLOG_COUNTS = """
SELECT (SELECT count(*) FROM dead_letter WHERE settled_at IS NULL) AS letters,
       (SELECT count(*) FROM parked) AS parked, (SELECT count(*) FROM waiting) AS waiting,
       (SELECT count(*) FROM timer JOIN parked ON parked.key = timer.case_id WHERE timer.due_at <= $1) AS timers
"""
log = structlog.get_logger(__name__)


class DeadLetterRedelivery:
    """Applies dead letters, and the records that wait behind them, with the service's decoder and handler, in one transaction a letter.

    `partition_count(topic)` returns the number of partitions of a topic.
    """

    def __init__(
        self,
        database: Database,
        decoder: RecordDecoder,
        handler: BatchHandler,
        partition_count: Callable[[str], int],
        spans: RecordSpans | None = None,
    ) -> None:
        self._spans = spans or RecordSpans(Tracing(""))
        self._database = database
        self._decoder = decoder
        self._handler = handler
        self._partition_count = partition_count
        self.requested = asyncio.Event()
        """Set it when `HAS_REQUESTS` holds: the loop then does not wait for its next poll."""

    async def run(self, stop: asyncio.Event) -> None:
        """Carry out requests until `stop`; raises infrastructure errors, after which the request is still stored."""
        while not stop.is_set():
            if not await self.run_once():
                await wait_for_any(IDLE_POLL_SECONDS, stop, self.requested)
                self.requested.clear()

    async def run_once(self) -> bool:
        """Carry out one request; False if there is none."""
        async with self._database.transaction() as tx:
            row = await tx.fetchrow(_NEXT_REQUEST, [REPLAY, DISCARD])
            if row is None:
                return False
            # Waits for batches that are adding waiting records to the case: they hold FOR SHARE locks.
            await tx.fetch("SELECT FROM parked WHERE dead_letter_id = $1 FOR UPDATE", row["id"])
            raw = record_from_row(row)
            if row["status"] == DISCARD:
                await self._claim_discarded(tx, raw)
                await self._settle(tx, row["id"], DISCARDED)
            elif (reason := await self._apply(tx, raw)) is None:
                await self._settle(tx, row["id"], REPLAYED)
            else:
                await tx.execute(_RECORD_FAILURE, row["id"], OPEN, reason)
                log.warning("dead letter failed again", letter=row["id"], reason=reason)
        return True

    async def _claim_discarded(self, tx: Transaction, raw: RawRecord) -> None:
        """Claim the id of a discarded record, so that a repeat of it is not applied either."""
        if raw.topic == TIMER_PSEUDO_TOPIC or raw.topic.startswith(OUTBOX_PSEUDO_TOPIC):
            return
        decoded = self._decoder.decode(raw, self._partition_count(raw.topic))
        if isinstance(decoded, ReceivedRecord):
            await inbox.claim_on_all_days(tx, decoded)

    async def _apply(self, tx: Transaction, raw: RawRecord) -> str | None:
        """Apply one record; returns the reason if it fails."""
        if raw.topic == TIMER_PSEUDO_TOPIC:
            return None  # the timer is still armed and fires after its case has been released
        if raw.topic.startswith(OUTBOX_PSEUDO_TOPIC):
            await resend(tx, raw)
            return None
        decoded = self._decoder.decode(raw, self._partition_count(raw.topic))
        if isinstance(decoded, FailedRecord):
            return decoded.reason
        [record], spans = self._spans.start([decoded])
        reason = await self._apply_decoded(tx, cast("ReceivedRecord", record))
        spans.end(error=reason or "")
        return reason

    async def _apply_decoded(self, tx: Transaction, record: ReceivedRecord) -> str | None:
        try:
            async with tx.savepoint():
                with working_on(record.activity):
                    if await inbox.claim_on_all_days(tx, record):
                        await self._handler(tx, [record])
        except Exception as error:
            if tx.driver_connection.is_closed() or is_infrastructure(error):
                raise
            return redacted_reason(error)
        return None

    async def _settle(self, tx: Transaction, letter: int, status: str) -> None:
        """Mark the letter as settled and apply the waiting records of its case; one that fails becomes the case's next dead letter."""
        await tx.execute("UPDATE dead_letter SET status = $2, attempts = attempts + 1, settled_at = now() WHERE id = $1", letter, status)
        key = await tx.fetchval("SELECT key FROM parked WHERE dead_letter_id = $1", letter)
        log.info("dead letter settled", letter=letter, status=status, case=key)
        if key is None:
            return
        rows = await tx.fetch(f"SELECT id, {RECORD_COLUMNS} FROM waiting WHERE key = $1 ORDER BY id", key)  # noqa: S608 - constants
        for index, row in enumerate(rows):
            raw = record_from_row(row)
            reason = await self._apply(tx, raw)
            if reason is not None:
                [next_letter] = await store.insert_dead_letters(tx, [FailedRecord(raw, reason)])
                await tx.execute("UPDATE parked SET dead_letter_id = $2 WHERE key = $1", key, next_letter)
                await self._delete_waiting(tx, [applied["id"] for applied in rows[: index + 1]])
                return
        await self._delete_waiting(tx, [row["id"] for row in rows])
        await tx.execute("DELETE FROM parked WHERE key = $1", key)
        tx.after_commit(tx.database.timers_armed.set)  # timers of the case may be due

    async def _delete_waiting(self, tx: Transaction, ids: Sequence[int]) -> None:
        await tx.execute("DELETE FROM waiting WHERE id = ANY($1::bigint[])", ids)


async def update_dead_letter_gauges(tx: Transaction, now: datetime) -> None:
    """Set the gauges of dead letters, parked cases, waiting records and due timers of parked cases; `now` is a domain instant."""
    row = await tx.fetchrow(_BACKLOG_COUNTS, now)
    if row is not None:
        metrics.DEAD_LETTERS.set(row["letters"])
        metrics.PARKED_CASES.set(row["parked"])
        metrics.PARKED_RECORDS.set(row["waiting"])
        metrics.PARKED_TIMERS.set(row["timers"])
