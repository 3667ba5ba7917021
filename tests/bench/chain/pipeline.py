"""Measures complaints a second from submission on Kafka to the request to notify, with all servers, services and senders on one machine.

Run with `python -m tests.bench.chain.pipeline [--complaints N] [--procedure ID]`; figures go to var/bench/pipeline-<procedure>.json.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from typing import Any

import asyncpg
import orjson

from cli.reconciliation.reconciliation import reconcile
from cli.stack.stack import Stack
from deploy.embedded import EmbeddedServers
from shared.contracts.topics import CASE_EVENTS
from shared.runtime.kafka.producer import Producer
from tests.bench.measuring.processes import ResourceUsage, measure_usage
from tests.bench.measuring.results import write_figures
from tests.bench.measuring.stacks import HELD_TABLES, ORGANISATIONS, started_stack
from tests.bench.measuring.submissions import send_submissions
from tests.support.messaging.idle import wait_until_idle
from tests.support.messaging.workload import workload_client
from tests.support.servers.databases import asyncpg_dsn
from tests.support.waiting import wait_for

COMPLAINTS = 20_000
WARM_UP_COMPLAINTS = 5000
"""The broker's JIT compiler needs some thousands of complaints to warm up."""
PROBE_SECONDS = 0.25
TIMEOUT_SECONDS = 1200.0
_COMPLETED_QUERY = """
SELECT CASE WHEN EXISTS (SELECT FROM intake.outbox) OR EXISTS (SELECT FROM triage.outbox) OR EXISTS (SELECT FROM sla.outbox)
    THEN 0 ELSE (SELECT count(*) FROM sla.cases) END
"""


async def has_reached_notify(connection: asyncpg.Connection, complaints: int) -> bool:
    """Whether the requests to notify of that many complaints have left sla's outbox."""
    return bool(await connection.fetchval(_COMPLETED_QUERY) >= complaints)


async def measure(
    stack: Stack, servers: EmbeddedServers, complaints: int, procedure: str, rate: float, warm_up: int = WARM_UP_COMPLAINTS
) -> dict[str, Any]:
    """Warm up, send, wait until the last request to notify is on its topic, then until notify has settled every message."""
    database = stack.environment["DATABASE_URL"]
    connection = await asyncpg.connect(asyncpg_dsn(database))
    async with workload_client(stack, organisation=ORGANISATIONS[procedure]) as senders:
        producer = Producer({"bootstrap_servers": servers.bootstrap_servers}, timeout=30.0)
        await send_submissions(senders, producer, range(warm_up))
        await _wait_until_idle(database, servers, procedure)
        before, began = measure_usage(stack, servers), time.monotonic()
        await send_submissions(senders, producer, range(warm_up, warm_up + complaints), rate)
        sent = time.monotonic() - began
        await wait_for(
            lambda: has_reached_notify(connection, warm_up + complaints),
            deadline=TIMEOUT_SECONDS,
            what="all requested",
            pause=PROBE_SECONDS,
        )
        took, after = time.monotonic() - began, measure_usage(stack, servers)
        await _wait_until_idle(database, servers, procedure)
        drained, last = time.monotonic() - began, measure_usage(stack, servers)
        await producer.close()
        result = await reconcile(database, servers.bootstrap_servers, "", senders.accepted)
    await connection.close()
    return {
        "procedure": procedure,
        "complaints": complaints,
        "offered_a_second": rate,
        "seconds": took,
        "complaints_a_second": complaints / took,
        "seconds_to_submit": sent,
        "events_a_complaint": result.counts[CASE_EVENTS.name] / result.accepted,
        "messages_a_complaint": result.counts["notify.delivery"] / result.accepted,
        "seconds_until_rest": drained,
        "cpu_micros_a_complaint": _cpu_micros_per_complaint(before, after, complaints),
        "cpu_micros_a_complaint_until_rest": _cpu_micros_per_complaint(before, last, complaints),
        "resident_megabytes": last.resident_megabytes,
        "lost": result.lost,
        "duplicated": result.duplicated,
        "disordered": result.disordered,
        "details": result.details,
    }


async def _wait_until_idle(database: str, servers: EmbeddedServers, what: str) -> None:
    await wait_until_idle(database, servers.bootstrap_servers, "", TIMEOUT_SECONDS, ignored_tables=HELD_TABLES[what])


def _cpu_micros_per_complaint(before: ResourceUsage, after: ResourceUsage, number: int) -> dict[str, float]:
    return {name: round((after.cpu_seconds[name] - before.cpu_seconds.get(name, 0.0)) / number * 1e6, 1) for name in after.cpu_seconds}


def run_benchmark(complaints: int, procedure: str, rate: float = 0.0, name: str = "", warm_up: int = WARM_UP_COMPLAINTS) -> dict[str, Any]:
    """One measurement from start to end; its figures are kept as `name`, by default that of the procedure."""
    with started_stack(procedure, lambda line: print(line, file=sys.stderr)) as (stack, servers):  # noqa: T201
        figures = asyncio.run(measure(stack, servers, complaints, procedure, rate, warm_up))
    write_figures(name or f"pipeline-{procedure}", figures)
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--complaints", type=int, default=COMPLAINTS)
    parser.add_argument("--procedure", choices=ORGANISATIONS, default="one-notice")
    parser.add_argument("--name", default="", help="name of the file of figures, to keep several runs; default pipeline-<procedure>")
    parser.add_argument("--rate", type=float, default=0.0, help="submissions a second; as fast as they go if not given")
    parser.add_argument("--warm-up", type=int, default=WARM_UP_COMPLAINTS, help="complaints before those that are measured")
    options = parser.parse_args()
    figures = run_benchmark(options.complaints, options.procedure, options.rate, options.name, options.warm_up)
    sys.stdout.write(orjson.dumps(figures, option=orjson.OPT_INDENT_2).decode() + "\n")


if __name__ == "__main__":
    main()
