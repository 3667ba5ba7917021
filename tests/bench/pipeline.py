"""Measures complaints a second from submission on Kafka to the request to notify, with all servers, services and senders on one machine.

Run with `python -m tests.bench.pipeline [--complaints N] [--procedure ID]`; figures go to var/bench/pipeline-<procedure>.json.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import orjson

from cli.reconciliation.reconciliation import reconcile
from cli.stack.stack import Stack, recreate_database, running_stack
from deploy.embedded import EmbeddedServers
from shared.contracts.topics import CASE_EVENTS
from shared.runtime.kafka.producer import Producer, ProducerRecord
from tests.bench.results import ROOT, write_figures
from tests.support.messaging.idle import wait_until_idle
from tests.support.messaging.workload import ORGANISATION, WorkloadClient, submission, submission_record, workload_client
from tests.support.servers.databases import asyncpg_dsn
from tests.support.waiting import wait_for

COMPLAINTS = 20_000
WARM_UP_COMPLAINTS = 5000
"""The broker's JIT compiler needs some thousands of complaints to warm up."""
PROBE_SECONDS = 0.25
SOURCE = "property-hotline"
ORGANISATIONS = {"one-notice": Path(__file__).parent / "organisation.yaml", "hunan-property": ORGANISATION}
HELD_TABLES = {"one-notice": {"notify.delivery"}, "hunan-property": set[str]()}
"""Text messages wait for the end of the quiet hours, since the gateway's speed is not measured; mails are sent at once."""
POSTGRES = {"shared_buffers": "512MB", "max_wal_size": "4GB", "checkpoint_timeout": "15min", "wal_init_zero": "off"}
"""Settings of a production server; wal_init_zero is off since a long-running server recycles its WAL files."""
TIMEOUT_SECONDS = 1200.0
CHUNK = 100
_TICKS = os.sysconf("SC_CLK_TCK")
_COMPLETED_QUERY = """
SELECT CASE WHEN EXISTS (SELECT FROM intake.outbox) OR EXISTS (SELECT FROM triage.outbox) OR EXISTS (SELECT FROM sla.outbox)
    THEN 0 ELSE (SELECT count(*) FROM sla.cases) END
"""


@dataclass(frozen=True)
class ResourceUsage:
    """CPU seconds and resident megabytes by process."""

    cpu_seconds: dict[str, float]
    resident_megabytes: dict[str, float]


def process_ids(stack: Stack, servers: EmbeddedServers) -> dict[str, list[int]]:
    """Process ids by part; PostgreSQL has several."""
    processes = {name: [process.pid] for name, process in stack.processes.items()}
    if servers.kafka is not None:
        processes["kafka"] = [servers.kafka.process.pid]
    if servers.postgres is not None:
        processes["postgres"] = process_family(servers.postgres.process.pid)
    return {**processes, "senders": [os.getpid()]}


def process_family(root: int) -> list[int]:
    """A process and its descendants."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    family = [root]
    for pid in family:
        family += [child for child, parent in parents.items() if parent == pid]
    return family


def measure_usage(stack: Stack, servers: EmbeddedServers) -> ResourceUsage:
    """CPU and memory that each part has used so far."""
    processes = process_ids(stack, servers)
    return ResourceUsage(
        {name: sum(cpu_seconds(pid) for pid in listed) for name, listed in processes.items()},
        {name: sum(_resident(pid) for pid in listed) for name, listed in processes.items() if name != "postgres"},
    )


def cpu_seconds(pid: int) -> float:
    """CPU seconds including ended children; 0 for a process that has just ended, whose parent's figure includes it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / _TICKS


def _resident(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def send_submissions(senders: WorkloadClient, producer: Producer, numbers: Sequence[int], rate: float = 0.0) -> None:
    """Send at `rate` submissions a second, or as fast as the broker accepts them if `rate` is 0."""
    source, began = SOURCE, time.monotonic()
    for first in range(0, len(numbers), CHUNK):
        if rate:
            await asyncio.sleep(began + first / rate - time.monotonic())
        bodies = [submission(number, datetime.now(UTC)) for number in numbers[first : first + CHUNK]]
        await producer.send([_outgoing(body, source) for body in bodies])
        for body in bodies:
            senders.note_accepted(source, body)


def _outgoing(body: dict[str, Any], source: str) -> ProducerRecord:
    record = submission_record(body, source)
    return record.topic, record.key.encode(), record.body, record.kafka_headers()


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


@contextmanager
def started_stack(
    procedure: str, progress: Callable[[str], None], further: Mapping[str, str] = MappingProxyType({})
) -> Iterator[tuple[Stack, EmbeddedServers]]:
    """New servers and services, as `make up` starts them but with more memory for PostgreSQL; `further` variables of the services."""
    folder = ROOT / "var" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory(dir=folder) as root,
        EmbeddedServers(Path(root) / "servers", postgres_settings=POSTGRES, progress=progress) as servers,
    ):
        quiet_hours = {"JIESU_QUIET_HOURS": _hours_from_now()} if HELD_TABLES[procedure] else {}
        environment = {
            **servers.environment,
            **quiet_hours,
            "DATABASE_URL": recreate_database(servers.database_url, "bench"),
            "JIESU_LOG_LEVEL": "WARNING",
            "JIESU_DIGEST_WINDOW": "0",
            **further,
        }
        with running_stack(Path(root) / "stack", environment, ORGANISATIONS[procedure], progress) as stack:
            yield stack, servers


def _hours_from_now() -> str:
    now = datetime.now(ZoneInfo("Asia/Shanghai"))
    return f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=4):%H:%M}"


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
