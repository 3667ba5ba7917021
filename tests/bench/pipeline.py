"""How many complaints a second go from submission on Kafka to the request to notify, with all servers, services and the senders here.

Run with `python -m tests.bench.pipeline [--complaints N] [--procedure ID]`; figures go to var/bench/pipeline-<procedure>.json.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import orjson

from cli.reconciliation.reconciliation import reconcile
from cli.stack.stack import Stack, fresh_database, running_stack
from deploy.embedded import EmbeddedServers
from shared.contracts.envelope import Message
from shared.contracts.topics import CASE_EVENTS, COMPLAINT_SUBMISSIONS
from shared.runtime.clock import uuid7
from shared.runtime.kafka.producer import Outgoing, Producer
from tests.bench.results import ROOT, keep
from tests.support.databases import plain
from tests.support.load import ORGANISATION, Load, load, submission
from tests.support.rest import come_to_rest
from tests.support.waiting import wait_for

COMPLAINTS = 20_000
WARM_UP = 5000
"""The broker's compiler needs some thousands of complaints until its work is compiled."""
PROBE_SECONDS = 0.25
SOURCE = "property-hotline"
ORGANISATIONS = {"one-notice": Path(__file__).parent / "organisation.yaml", "hunan-property": ORGANISATION}
HELD = {"one-notice": {"notify.delivery"}, "hunan-property": set[str]()}
"""Text messages wait for the end of the quiet hours, since how fast a gateway takes them is not measured; mails are sent at once."""
POSTGRES = {"shared_buffers": "512MB", "max_wal_size": "4GB", "checkpoint_timeout": "15min", "wal_init_zero": "off"}
"""What one gives a server that is to work; a server that has run for some time has log files to write over and fills none with zeros."""
PATIENCE = 1200.0
CHUNK = 100
_TICKS = os.sysconf("SC_CLK_TCK")
_DONE = """
SELECT CASE WHEN EXISTS (SELECT FROM intake.outbox) OR EXISTS (SELECT FROM triage.outbox) OR EXISTS (SELECT FROM sla.outbox)
    THEN 0 ELSE (SELECT count(*) FROM sla.cases) END
"""


@dataclass(frozen=True)
class Usage:
    """CPU seconds and resident megabytes by process."""

    cpu: dict[str, float]
    memory: dict[str, float]


def pids(stack: Stack, servers: EmbeddedServers) -> dict[str, list[int]]:
    """The processes of each part; PostgreSQL's are many."""
    found = {name: [process.pid] for name, process in stack.processes.items()}
    if servers.kafka is not None:
        found["kafka"] = [servers.kafka.process.pid]
    if servers.postgres is not None:
        found["postgres"] = _family(servers.postgres.process.pid)
    return {**found, "senders": [os.getpid()]}


def _family(root: int) -> list[int]:
    """A process and all below it."""
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


def usage(stack: Stack, servers: EmbeddedServers) -> Usage:
    """What each part has used so far."""
    processes = pids(stack, servers)
    return Usage(
        {name: sum(_cpu(pid) for pid in listed) for name, listed in processes.items()},
        {name: sum(_resident(pid) for pid in listed) for name, listed in processes.items() if name != "postgres"},
    )


def _cpu(pid: int) -> float:
    """CPU seconds, those of ended children included; of a process that has just ended its parent tells."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / _TICKS


def _resident(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def send(senders: Load, producer: Producer, numbers: Sequence[int], rate: float = 0.0) -> None:
    """So many submissions a second, or as fast as the broker takes them."""
    topic, source, began = f"{senders.prefix}{COMPLAINT_SUBMISSIONS.name}", SOURCE, time.monotonic()
    for first in range(0, len(numbers), CHUNK):
        if rate:
            await asyncio.sleep(began + first / rate - time.monotonic())
        bodies = [submission(number, datetime.now(UTC)) for number in numbers[first : first + CHUNK]]
        await producer.send([_outgoing(topic, body, source) for body in bodies])
        for body in bodies:
            senders.accept(source, body)


def _outgoing(topic: str, body: dict[str, Any], source: str) -> Outgoing:
    key = body["external_id"]
    message = Message(COMPLAINT_SUBMISSIONS.name, key, uuid7(), "submission", datetime.now(UTC), orjson.dumps(body), source)
    return topic, key.encode(), message.body, message.headers()


async def reached(connection: asyncpg.Connection, number: int) -> bool:
    """Whether so many complaints have come as far as the request to notify."""
    return bool(await connection.fetchval(_DONE) >= number)


async def measure(stack: Stack, servers: EmbeddedServers, complaints: int, what: str, rate: float) -> dict[str, Any]:
    """Warm up, send, wait until the last request to notify is on its topic, then until notify has dealt with every message."""
    database = stack.environment["DATABASE_URL"]
    connection = await asyncpg.connect(plain(database))
    async with load(stack, organisation=ORGANISATIONS[what]) as senders:
        producer = Producer({"bootstrap_servers": servers.bootstrap_servers}, timeout=30.0)
        await send(senders, producer, range(WARM_UP))
        await _rest(database, servers, what)
        before, began = usage(stack, servers), time.monotonic()
        await send(senders, producer, range(WARM_UP, WARM_UP + complaints), rate)
        sent = time.monotonic() - began
        await wait_for(lambda: reached(connection, WARM_UP + complaints), deadline=PATIENCE, what="all requested", pause=PROBE_SECONDS)
        took, after = time.monotonic() - began, usage(stack, servers)
        await _rest(database, servers, what)
        drained, last = time.monotonic() - began, usage(stack, servers)
        await producer.close()
        found = await reconcile(database, servers.bootstrap_servers, "", senders.accepted)
    await connection.close()
    figures = {
        "procedure": what,
        "complaints": complaints,
        "offered_a_second": rate,
        "seconds": took,
        "complaints_a_second": complaints / took,
        "seconds_to_submit": sent,
        "events_a_complaint": found.counts[CASE_EVENTS.name] / found.accepted,
        "messages_a_complaint": found.counts["notify.delivery"] / found.accepted,
        "seconds_until_rest": drained,
        "cpu_micros_a_complaint": _each(before, after, complaints),
        "cpu_micros_a_complaint_until_rest": _each(before, last, complaints),
        "resident_megabytes": last.memory,
        "lost": found.lost,
        "duplicated": found.duplicated,
        "disordered": found.disordered,
        "details": found.details,
    }
    keep(f"pipeline-{what}", figures)
    return figures


async def _rest(database: str, servers: EmbeddedServers, what: str) -> None:
    await come_to_rest(database, servers.bootstrap_servers, "", PATIENCE, but=HELD[what])


def _each(before: Usage, after: Usage, number: int) -> dict[str, float]:
    return {name: round((after.cpu[name] - before.cpu.get(name, 0.0)) / number * 1e6, 1) for name in after.cpu}


@contextmanager
def running(what: str, progress: Callable[[str], None]) -> Iterator[tuple[Stack, EmbeddedServers]]:
    """Fresh servers and services of their own, as `make up` starts them but for PostgreSQL's memory."""
    folder = ROOT / "var" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory(dir=folder) as root,
        EmbeddedServers(Path(root) / "servers", postgres_settings=POSTGRES, progress=progress) as servers,
    ):
        held = {"JIESU_QUIET_HOURS": _hours_from_now()} if HELD[what] else {}
        environment = {
            **servers.environment,
            **held,
            "DATABASE_URL": fresh_database(servers.database_url, "bench"),
            "JIESU_LOG_LEVEL": "WARNING",
        }
        with running_stack(Path(root) / "stack", environment, ORGANISATIONS[what], progress) as stack:
            yield stack, servers


def _hours_from_now() -> str:
    now = datetime.now(ZoneInfo("Asia/Shanghai"))
    return f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=4):%H:%M}"


def run(complaints: int, what: str, rate: float = 0.0) -> dict[str, Any]:
    """One measurement from start to end."""
    with running(what, lambda line: print(line, file=sys.stderr)) as (stack, servers):  # noqa: T201
        return asyncio.run(measure(stack, servers, complaints, what, rate))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--complaints", type=int, default=COMPLAINTS)
    parser.add_argument("--procedure", choices=ORGANISATIONS, default="one-notice")
    parser.add_argument("--rate", type=float, default=0.0, help="submissions a second; as fast as they go if not given")
    given = parser.parse_args()
    sys.stdout.write(orjson.dumps(run(given.complaints, given.procedure, given.rate), option=orjson.OPT_INDENT_2).decode() + "\n")


if __name__ == "__main__":
    main()
