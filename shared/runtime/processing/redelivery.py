"""Carries out what operators ask for dead letters: the culprit first, then what waited behind it, in order, in one transaction."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from shared.runtime.database.database import Database, Transaction
from shared.runtime.dead_letters import store
from shared.runtime.dead_letters.operations import DISCARD, DISCARDED, OPEN, REPLAY, REPLAYED
from shared.runtime.dead_letters.parking import RECORD_COLUMNS, record_from_row
from shared.runtime.kafka.record import FailedRecord, RawRecord, ReceivedRecord
from shared.runtime.kafka.record_decoder import RecordDecoder
from shared.runtime.process import metrics
from shared.runtime.process.failures import is_infrastructure, redacted_reason
from shared.runtime.process.waiting import sleep_or_stop
from shared.runtime.processing import inbox
from shared.runtime.processing.failure_isolation import BatchHandler
from shared.runtime.timers.timers import TIMER_PSEUDO_TOPIC

_POLL = 0.5
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
    """Works off requests with the service's own reader and handler; `partitions(topic)` is a topic's number of partitions."""

    def __init__(self, database: Database, decoder: RecordDecoder, handler: BatchHandler, partition_count: Callable[[str], int]) -> None:
        self._database = database
        self._decoder = decoder
        self._handler = handler
        self._partition_count = partition_count

    async def run(self, stop: asyncio.Event) -> None:
        """Look for requests until `stop`; an outage is raised, the request stays."""
        while not stop.is_set():
            if not await self.run_once():
                await sleep_or_stop(stop, _POLL)

    async def run_once(self) -> bool:
        """Deal with one request; False if there is none."""
        async with self._database.transaction() as tx:
            row = await tx.fetchrow(_NEXT_REQUEST, [REPLAY, DISCARD])
            if row is None:
                return False
            await tx.fetch("SELECT FROM parked WHERE dead_letter_id = $1 FOR UPDATE", row["id"])
            raw = record_from_row(row)
            if row["status"] == DISCARD:
                await self._claim_discarded(tx, raw)
                await self._settle(tx, row["id"], DISCARDED)
            elif (fault := await self._apply(tx, raw)) is None:
                await self._settle(tx, row["id"], REPLAYED)
            else:
                await tx.execute(_RECORD_FAILURE, row["id"], OPEN, fault)
                log.warning("dead letter failed again", letter=row["id"], reason=fault)
        return True

    async def _claim_discarded(self, tx: Transaction, raw: RawRecord) -> None:
        """Claim a discarded record's id, so that a repeat of it is not applied either."""
        if raw.topic != TIMER_PSEUDO_TOPIC and isinstance(
            read := self._decoder.decode(raw, self._partition_count(raw.topic)), ReceivedRecord
        ):
            await inbox.claim(tx, [read])

    async def _apply(self, tx: Transaction, raw: RawRecord) -> str | None:
        """Apply one record; the reason if it fails."""
        if raw.topic == TIMER_PSEUDO_TOPIC:
            return None  # the timer is still armed and fires once its case is released
        read = self._decoder.decode(raw, self._partition_count(raw.topic))
        if isinstance(read, FailedRecord):
            return read.reason
        try:
            async with tx.savepoint():
                if fresh := await inbox.claim(tx, [read]):
                    await self._handler(tx, fresh)
        except Exception as error:
            if tx.driver_connection.is_closed() or is_infrastructure(error):
                raise
            return redacted_reason(error)
        return None

    async def _settle(self, tx: Transaction, letter: int, status: str) -> None:
        """Mark the letter and release its case: what waits is applied until something fails, which is the case's next dead letter."""
        await tx.execute("UPDATE dead_letter SET status = $2, attempts = attempts + 1, settled_at = now() WHERE id = $1", letter, status)
        key = await tx.fetchval("SELECT key FROM parked WHERE dead_letter_id = $1", letter)
        log.info("dead letter settled", letter=letter, status=status, case=key)
        if key is None:
            return
        rows = await tx.fetch(f"SELECT id, {RECORD_COLUMNS} FROM waiting WHERE key = $1 ORDER BY id", key)  # noqa: S608 - constants
        for place, row in enumerate(rows):
            fault = await self._apply(tx, record_from_row(row))
            if fault is not None:
                [culprit] = await store.insert_dead_letters(tx, [FailedRecord(record_from_row(row), fault)])
                await tx.execute("UPDATE parked SET dead_letter_id = $2 WHERE key = $1", key, culprit)
                await self._forget(tx, [r["id"] for r in rows[: place + 1]])
                return
        await self._forget(tx, [row["id"] for row in rows])
        await tx.execute("DELETE FROM parked WHERE key = $1", key)
        tx.after_commit(tx.database.timers_armed.set)

    async def _forget(self, tx: Transaction, waited: Sequence[int]) -> None:
        await tx.execute("DELETE FROM waiting WHERE id = ANY($1::bigint[])", waited)


async def update_dead_letter_gauges(tx: Transaction, now: object) -> None:
    """Set the gauges of dead letters, parked cases, waiting records and held timers; `present` is the domain instant."""
    row = await tx.fetchrow(_BACKLOG_COUNTS, now)
    if row is not None:
        metrics.DEAD_LETTERS.set(row["letters"])
        metrics.PARKED_CASES.set(row["parked"])
        metrics.PARKED_RECORDS.set(row["waiting"])
        metrics.PARKED_TIMERS.set(row["timers"])


__all__ = ["DeadLetterRedelivery", "update_dead_letter_gauges"]
