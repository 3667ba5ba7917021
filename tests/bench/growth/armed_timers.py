"""A million armed timers of the runtime: how late they fire at a steady rate, how many fire a second, and how soon after a restart.

The process is the skeleton of sla: it locks the case, deletes the timer, arms the next one and adds an event to the outbox, and decides
nothing. An instant counts as reached when the broker has appended the event.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
import orjson

from deploy.embedded import EmbeddedServers
from deploy.embedded.process import ManagedProcess
from shared.contracts.topics import CASE_EVENTS
from tests.bench.limits.hops import RecordShape, RecordTemplate, read_all
from tests.bench.limits.systems import ComparedSystem, start_skeleton
from tests.bench.measuring.outcome import Bench, Goal, Options, Outcome
from tests.bench.measuring.processes import cpu_seconds, process_family
from tests.bench.measuring.results import FOLDER
from tests.bench.measuring.stacks import POSTGRES
from tests.bench.measuring.tables import quantile, table
from tests.support.servers.databases import asyncpg_dsn
from tests.support.waiting import wait_for

TIMERS = 1_000_000
RATE, RATE_SECONDS = 1000, 20
DUE_AT_ONCE = 100_000
DUE_IN_STOP = 10_000
LEAD_SECONDS = 20.0
"""From the statement that makes timers due until the first of them is, more than it takes on a busy machine."""
_ARM = """
WITH numbered AS (SELECT n, 'case-' || n AS id FROM generate_series(0, $1::int - 1) AS n),
stored AS (INSERT INTO sla.skeleton_state SELECT id, convert_to(repeat(md5(id), 32), 'UTF8') FROM numbered)
INSERT INTO sla.timer (case_id, partition, due_at) SELECT id, n % 24, now() + interval '3 days' + n * interval '1 second' FROM numbered
"""
_MAKE_DUE = """
UPDATE sla.timer SET due_at = now() + $3 * interval '1 second' + ordered.place * $4 * interval '1 second'
FROM (SELECT case_id, row_number() OVER (ORDER BY due_at DESC) AS place FROM sla.timer ORDER BY due_at DESC OFFSET $2 LIMIT $1) AS ordered
WHERE timer.case_id = ordered.case_id
"""
_ANY_EVENT = RecordShape([RecordTemplate("triage-events", "classified", {})])


def measure(options: Options) -> Outcome:
    """On servers of their own."""
    timers = options.complaints or TIMERS
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory(dir=FOLDER) as name,
        EmbeddedServers(Path(name) / "servers", postgres_settings=POSTGRES) as servers,
        ExitStack() as exits,
    ):
        system = start_skeleton(servers, Path(name), _ANY_EVENT, exits, hops=("sla",))
        figures = asyncio.run(_measure(servers, system, timers))
    goals = [
        Goal(f"{timers:,} armed timers, {RATE:,} due a second: lateness p99", figures["lateness_p99_seconds"], 1, "s", at_most=True),
        Goal("the same: fires a second", figures["fires_a_second"], 20_000, "/s"),
        Goal("the same: from restart to firing", figures["restart_seconds"], 3, "s", at_most=True),
    ]
    return Outcome(figures, goals)


async def _measure(servers: EmbeddedServers, system: ComparedSystem, timers: int) -> dict[str, Any]:
    process = system.processes["sla"]
    connection = await asyncpg.connect(asyncpg_dsn(system.database_url or ""))
    await connection.execute(_ARM, timers)
    await connection.execute("VACUUM ANALYZE sla.timer")
    await connection.execute("VACUUM ANALYZE sla.skeleton_state")
    steady = await _fire_steadily(servers, connection, process)
    at_once = await _fire_at_once(servers, connection, process)
    restart = await _restart(connection, system)
    await connection.close()
    return {"timers": timers, **steady, **at_once, "restart_seconds": restart}


async def _fire_steadily(servers: EmbeddedServers, connection: asyncpg.Connection, process: ManagedProcess) -> dict[str, float]:
    """Timers that fall due one after the other; the lateness of each, by the broker's timestamp of its event."""
    used = _used(servers, process)
    await connection.execute(_MAKE_DUE, RATE * RATE_SECONDS, 0, LEAD_SECONDS, 1 / RATE)
    await _wait_until_fired(connection, seconds=RATE_SECONDS + 120)
    records = await read_all(servers.bootstrap_servers, [CASE_EVENTS], prefix="skeleton-")
    events = [(record.timestamp / 1000, orjson.loads(record.value)) for record in records]
    late = [appended_at - event["due"] for appended_at, event in events]
    after = _used(servers, process)
    fired = RATE * RATE_SECONDS
    return {
        "fired": len(late),
        "lateness_p50_seconds": round(quantile(late, 0.5), 3),
        "lateness_p99_seconds": round(quantile(late, 0.99), 3),
        "lateness_most_seconds": round(max(late), 3),
        "early": sum(seconds < -0.001 for seconds in late),
        "sla_micros": round((after[0] - used[0]) / fired * 1e6),
        "postgres_micros": round((after[1] - used[1]) / fired * 1e6),
    }


async def _fire_at_once(servers: EmbeddedServers, connection: asyncpg.Connection, process: ManagedProcess) -> dict[str, float]:
    await connection.execute(_MAKE_DUE, DUE_AT_ONCE, 0, LEAD_SECONDS, 0.0)
    await connection.execute("VACUUM sla.timer")
    due_at = await connection.fetchval("SELECT min(due_at) FROM sla.timer")
    await asyncio.sleep(max(0.0, due_at.timestamp() - time.time()))
    used, began = _used(servers, process), time.monotonic()
    await _wait_until_fired(connection, seconds=600)
    took, after = time.monotonic() - began, _used(servers, process)
    return {
        "fires_a_second": round(DUE_AT_ONCE / took),
        "sla_micros_at_once": round((after[0] - used[0]) / DUE_AT_ONCE * 1e6, 1),
        "postgres_micros_at_once": round((after[1] - used[1]) / DUE_AT_ONCE * 1e6, 1),
    }


async def _restart(connection: asyncpg.Connection, system: ComparedSystem) -> float:
    """Seconds from the start of the process until it has fired the first of the timers that fell due while it was stopped."""
    assert system.command is not None
    await asyncio.to_thread(system.processes["sla"].stop)
    await connection.execute(_MAKE_DUE, DUE_IN_STOP, 0, -1.0, 0.0)
    with ExitStack() as exits:
        began = time.monotonic()
        system.command.start("sla", exits)
        await wait_for(lambda: _left(connection, DUE_IN_STOP), deadline=60, what="fired", pause=0.02)
        return round(time.monotonic() - began, 2)


async def _left(connection: asyncpg.Connection, number: int) -> bool:
    return bool(await connection.fetchval("SELECT count(*) FROM sla.timer WHERE due_at <= now()") < number)


async def _wait_until_fired(connection: asyncpg.Connection, seconds: float) -> None:
    """Until no timer is due within the next minutes, and every event is sent."""
    waiting = "SELECT NOT EXISTS (SELECT FROM sla.timer WHERE due_at < now() + interval '1 hour') AND NOT EXISTS (SELECT FROM sla.outbox)"
    await wait_for(lambda: connection.fetchval(waiting), deadline=seconds, what="every timer fired", pause=0.05)


def _used(servers: EmbeddedServers, process: ManagedProcess) -> tuple[float, float]:
    assert servers.postgres is not None
    return cpu_seconds(process.pid), sum(map(cpu_seconds, process_family(servers.postgres.process.pid)))


def section(figures: Mapping[str, Any]) -> Iterator[str]:
    """One table."""
    yield f"{figures['timers']:,} armed timers of the runtime in one process without decisions: lock the case, delete the timer, arm the"
    yield "next one, add an event to the outbox. Late is from the due instant until the broker has appended the event.\n"
    rows = [
        (f"late at {RATE:,} due a second, p50", f"{figures['lateness_p50_seconds']:.2f} s"),
        ("p99", f"{figures['lateness_p99_seconds']:.2f} s"),
        ("most", f"{figures['lateness_most_seconds']:.2f} s"),
        ("early", f"{figures['early']}"),
        ("CPU µs a timer, process + PostgreSQL", f"{figures['sla_micros']:,} + {figures['postgres_micros']:,}"),
        (f"fires a second, {DUE_AT_ONCE:,} due at once", f"{figures['fires_a_second']:,}"),
        ("CPU µs a timer, process + PostgreSQL", f"{figures['sla_micros_at_once']:,} + {figures['postgres_micros_at_once']:,}"),
        ("from the start of the process to the first timer", f"{figures['restart_seconds']:.1f} s"),
    ]
    yield from table(("", "reached"), rows)


BENCH = Bench("Armed timers", measure, section)
