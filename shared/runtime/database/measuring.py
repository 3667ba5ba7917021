"""Measures what the database counts: one elected process of a service, so that sums over processes are right."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from shared.runtime.clock import monotonic
from shared.runtime.database.database import Database, Transaction
from shared.runtime.database.election import Election
from shared.runtime.process import metrics
from shared.runtime.process.failures import is_infrastructure, redacted_reason
from shared.runtime.process.health import Health
from shared.runtime.process.measured_gauge import SharedGauge, Tenure
from shared.runtime.process.waiting import sleep_or_stop, sleep_to_tick, wait_for_any

MEASURE_SECONDS = 5.0
_WATCH_SECONDS = 2.0
_PING_SECONDS = 5.0
_RENEW_SECONDS = 1.0
LEASE = timedelta(seconds=3)
"""With an attempt a second, another process measures within MEASURE_SECONDS after the elected one died, its machine or its network."""
_VALID_PERIODS = 6
_PAUSE_FACTOR = 50


@dataclass(frozen=True, slots=True)
class Measurement:
    """A function that sets gauges from the database every `period` real seconds, or less often when it takes long.

    `set_gauges(tx)` sets exactly these gauges; it only reads, each statement by itself.
    """

    name: str
    set_gauges: Callable[[Transaction], Awaitable[None]]
    gauges: Sequence[SharedGauge]
    period: float = MEASURE_SECONDS

    def pause(self, took: float) -> float:
        """Seconds until the next time after one that took so many: figures of millions of cases use at most a fiftieth of a core."""
        return max(self.period, _PAUSE_FACTOR * took)


class ElectedMeasuring:
    """Runs measurements in the one elected process of a service; the others export nothing for them.

    A lease and no advisory lock: PostgreSQL keeps the session, and with it the lock, of a machine that has vanished for two hours.
    """

    def __init__(self, database: Database) -> None:
        # Connections of its own, one to measure and one to renew: batches that wait for the pool would make the figures old,
        # a slow measurement would end the lease.
        self._database = database.with_own_connections(2, "measuring")
        self._election = Election("measuring", LEASE)
        self._tenure = Tenure()
        self._elected = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()

    async def stand_for_election(self, stop: asyncio.Event) -> None:
        """Renew the lease, or try to get it, every second until `stop` is set."""
        while not stop.is_set():
            try:
                await self._stand()
            except Exception as error:
                # Reported by watch_database; without the database the tenure ends by itself.
                if not is_infrastructure(error):
                    raise
            await sleep_to_tick(stop, _RENEW_SECONDS)

    async def run(self, measurement: Measurement, stop: asyncio.Event) -> None:
        """Measure until `stop` is set, at once when this process is elected; a failure is counted and raised."""
        metrics.MEASUREMENTS_FAILED.labels(measurement.name)
        while not stop.is_set():
            if self._tenure.is_held:
                started = monotonic()
                await self.measure(measurement)
                pause = measurement.pause(monotonic() - started)
                await (sleep_to_tick if pause == measurement.period else sleep_or_stop)(stop, pause)
            else:
                # Still set where the tenure ended because the database was away: the loop would run without a pause.
                self._elected.clear()
                await wait_for_any(_RENEW_SECONDS, stop, self._elected)

    async def measure(self, measurement: Measurement) -> bool:
        """Measure once, if this process is elected; the gauges end otherwise, and when the measurement fails."""
        measured, started = False, monotonic()
        try:
            if self._tenure.is_held or await self._stand():
                async with self._one_at_a_time, self._database.autocommit() as tx:
                    await measurement.set_gauges(tx)
                measured = True
        except Exception:
            metrics.MEASUREMENTS_FAILED.labels(measurement.name).inc()
            raise
        finally:
            for gauge in measurement.gauges:
                if measured:
                    gauge.hold(self._tenure, _VALID_PERIODS * measurement.pause(monotonic() - started))
                else:
                    gauge.expire()
        return measured

    async def close(self) -> None:
        """Resign, so that another process is elected at once, and close the connections."""
        self._end_tenure()
        try:
            if self._election.elected:
                async with self._database.transaction() as tx:
                    await self._election.resign(tx)
        except Exception as error:
            # Without the database the lease ends by itself.
            if not is_infrastructure(error):
                raise
        finally:
            await self._database.close()

    async def _stand(self) -> bool:
        # Counted from before the transaction, whose start is the lease's: the tenure never outlasts the lease.
        started = monotonic()
        async with self._database.autocommit() as tx:
            elected = await self._election.is_elected(tx)
        if elected:
            self._tenure.until = started + LEASE.total_seconds()
            self._elected.set()
        else:
            self._end_tenure()
        return elected

    def _end_tenure(self) -> None:
        self._tenure.until = 0.0
        self._elected.clear()


async def watch_database(database: Database, health: Health, stop: asyncio.Event) -> None:
    """Keep `jiesu_database_up` and the trouble `database` right until `stop` is set."""
    while not stop.is_set():
        await check_database(database, health)
        await sleep_to_tick(stop, _WATCH_SECONDS)


async def check_database(database: Database, health: Health) -> None:
    """Open a transaction; report whether that was possible."""
    try:
        # A frozen server, and a pool that slow requests use up, answer no better than none: more requests would wait behind them.
        async with asyncio.timeout(_PING_SECONDS):
            await database.ping()
    except Exception as error:
        if not is_infrastructure(error):
            raise
        metrics.DATABASE_UP.set(0)
        health.set_trouble("database", f"PostgreSQL cannot be used ({redacted_reason(error)})", blocking=True)
    else:
        metrics.DATABASE_UP.set(1)
        health.clear_trouble("database")
