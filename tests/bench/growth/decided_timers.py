"""sla fires the timers of real cases: it was stopped when all their limits passed, and starts with a clock that is days ahead."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import asyncpg

from cli.stack.stack import Stack
from deploy.embedded import EmbeddedServers
from shared.runtime.kafka.producer import Producer
from tests.bench.measuring.processes import cpu_by_part, process_family
from tests.bench.measuring.stacks import started_stack
from tests.bench.measuring.submissions import CHUNK, send_chunk
from tests.bench.measuring.tables import table
from tests.support.servers.databases import asyncpg_dsn
from tests.support.waiting import wait_for

CASES = 3000
_PROCEDURE = "one-notice"
_AHEAD = timedelta(days=30)
"""More than three working days, whatever the calendar."""
_AT_REST = "SELECT (SELECT count(*) FROM sla.timer) >= $1 AND NOT EXISTS (SELECT FROM sla.outbox)"
_LEFT = "SELECT count(*) FROM sla.timer WHERE due_at <= $1"


def measure() -> dict[str, float]:
    """Register the cases, let their limits pass, and start sla."""
    with started_stack(_PROCEDURE, lambda line: print(line, file=sys.stderr)) as (stack, servers):  # noqa: T201
        return asyncio.run(_measure(stack, servers))


async def _measure(stack: Stack, servers: EmbeddedServers) -> dict[str, float]:
    connection = await asyncpg.connect(asyncpg_dsn(stack.environment["DATABASE_URL"]))
    producer = Producer({"bootstrap_servers": servers.bootstrap_servers}, timeout=30.0)
    for first in range(0, CASES, CHUNK):
        await send_chunk(producer, range(first, first + CHUNK))
    await producer.close()
    await wait_for(lambda: connection.fetchval(_AT_REST, CASES), deadline=900, what="every case registered", pause=0.5)
    for name in ("intake", "triage", "notify", "desk", "sla"):
        await asyncio.to_thread(stack.processes[name].stop)
    return await _fire(stack, servers, connection)


async def _fire(stack: Stack, servers: EmbeddedServers, connection: asyncpg.Connection) -> dict[str, float]:
    """CPU from the first timer that fired to the last event that was sent."""
    real = datetime.now(UTC)
    stack.environment["JIESU_CLOCK"] = f"{(real + _AHEAD).isoformat()}@{real.isoformat()}x1"
    assert servers.postgres is not None
    began = time.monotonic()
    parts = {"sla": [stack.start("sla").pid], "postgres": process_family(servers.postgres.process.pid)}

    async def left() -> int:
        return int(await connection.fetchval(_LEFT, real + _AHEAD))

    async def has_fired() -> bool:
        return await left() < CASES

    await wait_for(has_fired, deadline=120, what="the first timer fired", pause=0.02)
    restarted, first, before = time.monotonic(), CASES - await left(), cpu_by_part(parts)
    done = f"SELECT ({_LEFT}) = 0 AND NOT EXISTS (SELECT FROM sla.outbox)"
    await wait_for(lambda: connection.fetchval(done, real + _AHEAD), deadline=600, what="every timer fired", pause=0.05)
    took = time.monotonic() - restarted
    parts["postgres"] = process_family(servers.postgres.process.pid)
    after = cpu_by_part(parts)
    fired = CASES - first
    breaches = await connection.fetchval("SELECT count(*) FROM sla.ledger WHERE type = 'clock_breached'")
    await connection.close()
    return {
        "cases": CASES,
        "breached": breaches,
        "fires_a_second": round(fired / took),
        "restart_seconds": round(restarted - began, 2),
        **{f"{part}_micros": round((after[part] - before[part]) / fired * 1e6) for part in parts},
    }


def section(figures: Mapping[str, float]) -> Iterator[str]:
    """One table."""
    yield f"sla itself, `{_PROCEDURE}`, where {figures['cases']:,} limits passed while it was stopped: each timer is decided on, a breach"
    yield "and a request to notify are written to ledger and outbox, state, figures and lists change.\n"
    rows = [
        ("breaches", f"{figures['breached']:,}"),
        ("fires a second", f"{figures['fires_a_second']:,}"),
        ("CPU µs a timer, sla + PostgreSQL", f"{figures['sla_micros']:,} + {figures['postgres_micros']:,}"),
        ("from the start of sla to the first timers, s", f"{figures['restart_seconds']:,}"),
    ]
    yield from table(("", "reached"), rows)
