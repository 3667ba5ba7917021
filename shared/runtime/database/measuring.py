"""Measures what the database counts: one elected process of a service, so that sums over processes are right."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from shared.runtime.database.database import Database, Transaction
from shared.runtime.database.election import Election
from shared.runtime.process import metrics
from shared.runtime.process.failures import is_infrastructure, redacted_reason
from shared.runtime.process.health import Health
from shared.runtime.process.measured_gauge import MeasuredGauge
from shared.runtime.process.waiting import sleep_or_stop

MEASURE_SECONDS = 5.0
_LEASE = timedelta(seconds=3 * MEASURE_SECONDS)


@dataclass(frozen=True, slots=True)
class Measurement:
    """What sets gauges from the database; `set_gauges(tx)` sets exactly these gauges."""

    name: str
    set_gauges: Callable[[Transaction], Awaitable[None]]
    gauges: Sequence[MeasuredGauge]


class ElectedMeasuring:
    """Runs measurements in the one elected process of a service; the others export nothing for them."""

    def __init__(self, database: Database) -> None:
        # A connection of its own: batches that wait for the pool would make the figures old.
        self._database = database.with_own_connections(1)
        self._election = Election("measuring", _LEASE)

    async def run(self, measurement: Measurement, stop: asyncio.Event) -> None:
        """Measure every few seconds until `stop` is set; a failure is counted and raised."""
        metrics.MEASUREMENTS_FAILED.labels(measurement.name)
        while not stop.is_set():
            await self.measure(measurement)
            await sleep_or_stop(stop, MEASURE_SECONDS)

    async def measure(self, measurement: Measurement) -> bool:
        """Measure once, if this process is elected; the gauges end otherwise, and when the measurement fails."""
        measured = False
        try:
            async with self._elected_transaction() as tx:
                if tx is not None:
                    await measurement.set_gauges(tx)
                    measured = True
        except Exception:
            measured = False
            metrics.MEASUREMENTS_FAILED.labels(measurement.name).inc()
            raise
        finally:
            if not measured:
                for gauge in measurement.gauges:
                    gauge.expire()
        return measured

    async def close(self) -> None:
        """Resign, so that another process is elected at once, and close the connection."""
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

    @asynccontextmanager
    async def _elected_transaction(self) -> AsyncIterator[Transaction | None]:
        async with self._database.transaction() as tx:
            yield tx if await self._election.is_elected(tx) else None


async def watch_database(database: Database, health: Health, stop: asyncio.Event) -> None:
    """Keep `jiesu_database_up` and the trouble `database` right until `stop` is set."""
    while not stop.is_set():
        await check_database(database, health)
        await sleep_or_stop(stop, MEASURE_SECONDS)


async def check_database(database: Database, health: Health) -> None:
    """Open a transaction; report whether that was possible."""
    try:
        await database.ping()
    except Exception as error:
        if not is_infrastructure(error):
            raise
        metrics.DATABASE_UP.set(0)
        health.set_trouble("database", f"PostgreSQL cannot be used ({redacted_reason(error)})")
    else:
        metrics.DATABASE_UP.set(1)
        health.clear_trouble("database")
