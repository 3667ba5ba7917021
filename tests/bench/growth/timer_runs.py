"""One process of the skeleton before a table of armed timers: its restart, its rest, a steady rate of due timers, and many due at once."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.embedded import EmbeddedServers
from shared.contracts.topics import CASE_EVENTS, PARTITIONS
from tests.bench.limits.systems import HopCommand
from tests.bench.measuring.processes import cpu_by_part, cpu_seconds, process_family
from tests.bench.measuring.tables import quantile
from tests.support.waiting import wait_for

RATE, RATE_SECONDS = 1000, 20
DUE_AT_ONCE = 100_000
DUE_IN_STOP = 10_000
REST_SECONDS = 10.0
LEAD_SECONDS = 20.0
"""From the statement that makes timers due until the first of them is, more than it takes on a busy machine."""
ARM = """
WITH numbered AS (SELECT n, 'case-' || n AS id FROM generate_series(0, $1::int - 1) AS n),
stored AS (INSERT INTO sla.skeleton_state SELECT id, convert_to(repeat(md5(id), 32), 'UTF8') FROM numbered)
INSERT INTO sla.timer (case_id, partition, due_at) SELECT id, n % 24, now() + interval '3 days' + n * interval '1 second' FROM numbered
"""
_MAKE_DUE = """
UPDATE sla.timer SET due_at = now() + $2 * interval '1 second' + ordered.place * $3::float8 * interval '1 second'
FROM (SELECT case_id, row_number() OVER (ORDER BY due_at DESC) AS place FROM sla.timer ORDER BY due_at DESC LIMIT $1) AS ordered
WHERE timer.case_id = ordered.case_id
"""
_IS_CONNECTED = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'jiesu-sla')"
_DUE = "SELECT count(*) FROM sla.timer WHERE due_at <= now()"
_ALL_FIRED = "SELECT NOT EXISTS (SELECT FROM sla.timer WHERE due_at < now() + interval '1 hour') AND NOT EXISTS (SELECT FROM sla.outbox)"


@dataclass
class TimerRuns:
    """The runs of one table; `connection` is that of the bench, whose own work counts for PostgreSQL too."""

    servers: EmbeddedServers
    connection: asyncpg.Connection
    events: AIOKafkaConsumer
    prefix: str

    async def run(self, command: HopCommand, profile: Path | None = None) -> dict[str, float]:
        """All runs of one process."""
        with ExitStack() as exits:
            restart = await self._restart(command, exits, profile)
            return {**restart, **await self._rest(), **await self._fire_steadily(), **await self._fire_at_once()}

    async def _restart(self, command: HopCommand, exits: ExitStack, profile: Path | None) -> dict[str, float]:
        """Seconds from the start of the process until it has connected, and until it has fired a timer that fell due before."""
        await self._make_due(DUE_IN_STOP, -1.0, 0.0)
        began = time.monotonic()
        self._pid = command.start("sla", exits, profile).pid
        await wait_for(lambda: self.connection.fetchval(_IS_CONNECTED), deadline=120, what="connected", pause=0.02)
        connected = time.monotonic() - began
        await wait_for(self._has_fired, deadline=60, what="fired", pause=0.02)
        figures = {
            "restart_seconds": round(time.monotonic() - began, 2),
            "restart_connected_seconds": round(connected, 2),
            "restart_cpu_seconds": round(cpu_seconds(self._pid), 2),
        }
        await self._wait_until_fired(120)
        return figures

    async def _has_fired(self) -> bool:
        return bool(await self.connection.fetchval(_DUE) < DUE_IN_STOP)

    async def _rest(self) -> dict[str, float]:
        """Percent of a core while nothing is due."""
        await asyncio.sleep(2.0)
        before = self._used()
        await asyncio.sleep(REST_SECONDS)
        return {f"{part}_rest_percent": round((used - before[part]) / REST_SECONDS * 100, 2) for part, used in self._used().items()}

    async def _fire_steadily(self) -> dict[str, float]:
        """Timers that fall due one after the other; the lateness of each, by the broker's timestamp of its event."""
        fired = RATE * RATE_SECONDS
        await self._make_due(fired, LEAD_SECONDS, 1 / RATE)
        await self.events.seek_to_end()
        before = self._used()
        await self._wait_until_fired(RATE_SECONDS + 300)
        micros = self._micros(before, fired, "steady")
        late = await self._lateness(fired)
        return {
            "lateness_p50_seconds": round(quantile(late, 0.5), 3),
            "lateness_p99_seconds": round(quantile(late, 0.99), 3),
            "lateness_most_seconds": round(max(late), 3),
            "early": sum(seconds < -0.001 for seconds in late),
            **micros,
        }

    async def _lateness(self, number: int) -> list[float]:
        late: list[float] = []
        while len(late) < number:
            for records in (await self.events.getmany(timeout_ms=1000)).values():
                late += [record.timestamp / 1000 - orjson.loads(record.value)["due"] for record in records]
        return late

    async def _fire_at_once(self) -> dict[str, float]:
        await self._make_due(DUE_AT_ONCE, LEAD_SECONDS, 0.0)
        due_at = await self.connection.fetchval("SELECT min(due_at) FROM sla.timer")
        await asyncio.sleep(max(0.0, due_at.timestamp() - time.time()))
        before, began = self._used(), time.monotonic()
        await self._wait_until_fired(600)
        took = time.monotonic() - began
        return {"fires_a_second": round(DUE_AT_ONCE / took), **self._micros(before, DUE_AT_ONCE, "at_once")}

    async def _make_due(self, number: int, lead_seconds: float, step_seconds: float) -> None:
        await self.connection.execute(_MAKE_DUE, number, lead_seconds, step_seconds)
        await self.connection.execute("VACUUM sla.timer")

    async def _wait_until_fired(self, seconds: float) -> None:
        """Until no timer is due within the next minutes, and every event is sent."""
        await wait_for(lambda: self.connection.fetchval(_ALL_FIRED), deadline=seconds, what="every timer fired", pause=0.05)

    def _used(self) -> dict[str, float]:
        assert self.servers.postgres is not None
        assert self.servers.kafka is not None
        postgres = process_family(self.servers.postgres.process.pid)
        return cpu_by_part({"sla": [self._pid], "postgres": postgres, "kafka": [self.servers.kafka.process.pid]})

    def _micros(self, before: dict[str, float], fired: int, run: str) -> dict[str, float]:
        return {f"{part}_micros_{run}": round((used - before[part]) / fired * 1e6, 1) for part, used in self._used().items()}


async def open_events(bootstrap_servers: str, prefix: str) -> AIOKafkaConsumer:
    """A started consumer of the events of fired timers."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers)
    await consumer.start()
    consumer.assign([TopicPartition(f"{prefix}{CASE_EVENTS.name}", number) for number in range(PARTITIONS)])
    return consumer
