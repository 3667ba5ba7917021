"""The report after an outage: since when the service was away, what it missed meanwhile, when it had caught up."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import structlog

from shared.contracts.operations.heartbeats import StartReport
from shared.runtime.clock import Clock, uuid7
from shared.runtime.database.database import Database
from shared.runtime.database.measuring import LEASE
from shared.runtime.kafka.record import RawRecord
from shared.runtime.kafka.watermark import Watermark
from shared.runtime.process.failures import is_infrastructure
from shared.runtime.process.waiting import sleep_or_stop
from shared.runtime.subscription.subscription import Subscription

_POLL_SECONDS = 1.0
# The lease of measuring is renewed each second by one living process of the service: its end tells when the last one was killed. An
# orderly stop gives it back, and leaves the row `stopped` instead.
_LAST_SIGN_OF_LIFE = """
SELECT max(CASE name WHEN 'measuring' THEN expires_at - $1::interval ELSE expires_at END) AS last,
    coalesce(bool_or(name = 'measuring' AND expires_at >= now()), false) AS others_run
FROM lease WHERE name IN ('measuring', 'stopped')
"""
_NOTE_STOP = """
INSERT INTO lease (name, holder, expires_at) VALUES ('stopped', $1::uuid, now())
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
"""
_DUE = """
SELECT count(*) AS missed, min(due_at) AS oldest FROM timer
WHERE due_at <= $1 AND NOT EXISTS (SELECT FROM parked WHERE parked.key = timer.case_id)
"""
_UNSENT = "SELECT coalesce(sum(messages), 0)::int FROM outbox"
_WAITS_STILL = """
SELECT EXISTS (SELECT FROM timer WHERE due_at <= $1 AND partition = ANY($2::int[])
               AND NOT EXISTS (SELECT FROM parked WHERE parked.key = timer.case_id))
    OR EXISTS (SELECT FROM outbox WHERE created_at <= $3)
"""
log = structlog.get_logger(__name__)


class StartReporter:
    """Makes the report of one process; `report` is None until the database was read."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.report: StartReport | None = None
        self._database = database
        self._clock = clock
        self._looked_at: datetime = clock.real_now()
        self._missed_records = 0

    async def look_back(self) -> None:
        """Read since when the service was away, and what became due; before this process takes part in the election."""
        self._looked_at = self._clock.real_now()
        try:
            self.report = await self._look()
        except Exception as error:
            # Without the database the start goes on, and waits for it elsewhere.
            if not is_infrastructure(error):
                raise
            self.report = StartReport()
        if self.report.away_since is not None:
            log.info("back after an outage", **_figures(self.report, "away_since", "missed_timers", "unsent_messages", "oldest_timer_due"))

    async def _look(self) -> StartReport:
        async with self._database.transaction() as tx:
            life = await tx.fetchrow(_LAST_SIGN_OF_LIFE, LEASE)
            if life is None or life["last"] is None or life["others_run"]:
                return StartReport()
            due = await tx.fetchrow(_DUE, self._clock.to_domain(self._looked_at))
            unsent = await tx.fetchval(_UNSENT)
        oldest = None if due is None else due["oldest"]
        return StartReport(
            away_since=life["last"],
            missed_timers=0 if due is None else due["missed"],
            unsent_messages=unsent,
            oldest_timer_due=oldest and self._clock.to_real(oldest),
        )

    async def catch_up(self, subscription: Subscription, stop: asyncio.Event) -> None:
        """After an outage, wait until what was there at the start is read, fired and sent, and complete the report."""
        watermark = subscription.watermark
        # From the broker's timestamps: by the time that positions are known, a part of what was missed has been read.
        subscription.processor.on_read = self._count_read
        while not stop.is_set() and not await self._is_completed(watermark):
            await sleep_or_stop(stop, _POLL_SECONDS)
        subscription.processor.on_read = None

    async def _is_completed(self, watermark: Watermark) -> bool:
        """Whether there is nothing to wait for any more; completes the report once all is caught up."""
        if self.report is None:
            return False
        if self.report.away_since is None:
            return True
        owned = watermark.owned_partitions()
        if not owned or not await watermark.refresh(owned) or not await self._has_caught_up(watermark, owned):
            return False
        self._complete(self.report)
        return True

    def _count_read(self, records: Sequence[RawRecord]) -> None:
        start_ms = self._looked_at.timestamp() * 1000
        self._missed_records += sum(record.timestamp_ms <= start_ms for record in records)

    async def note_stop(self) -> None:
        """Keep the instant of an orderly stop; without the database it stays unknown."""
        try:
            async with self._database.transaction() as tx:
                await tx.execute(_NOTE_STOP, uuid7())
        except Exception as error:
            if not is_infrastructure(error):
                raise

    async def _has_caught_up(self, watermark: Watermark, owned: Sequence[int]) -> bool:
        start = self._clock.to_domain(self._looked_at)
        if not all(watermark.has_passed(partition, start) for partition in owned):
            return False
        async with self._database.transaction() as tx:
            return not await tx.fetchval(_WAITS_STILL, start, owned, self._looked_at)

    def _complete(self, report: StartReport) -> None:
        now = self._clock.real_now()
        self.report = report.model_copy(update={"caught_up_at": now, "missed_records": self._missed_records})
        log.info(
            "caught up after an outage",
            **_figures(self.report, "away_since", "missed_records", "missed_timers", "unsent_messages"),
            late_seconds=round(self.report.late_seconds, 1),
            seconds=round((now - self._looked_at).total_seconds(), 1),
        )


def _figures(report: StartReport, *names: str) -> dict[str, str | int | None]:
    return {name: value.isoformat() if isinstance(value := getattr(report, name), datetime) else value for name in names}
