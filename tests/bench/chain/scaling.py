"""Measures the CPU of a complaint with one, two and four processes a service, which join and leave while complaints arrive.

Run with `python -m tests.bench.chain.scaling [--complaints N]`; figures go to var/bench/scaling.json,
`python -m tests.bench.chain.scaling_page` writes the page. CPU time of processes in one run:
on a shared machine rates compare the neighbours, ratios of CPU the numbers of processes.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import signal
import sys
import time
from typing import Any

import asyncpg
import httpx
import orjson

from cli.reconciliation.reconciliation import reconcile
from cli.stack.process_environment import process_environment
from cli.stack.stack import Stack
from deploy.embedded import EmbeddedServers
from deploy.embedded.ports import free_ports
from deploy.embedded.process import ManagedProcess
from shared.runtime.kafka.producer import Producer
from tests.bench.chain.pipeline import TIMEOUT_SECONDS, has_reached_notify
from tests.bench.measuring.processes import ResourceUsage, measure_usage
from tests.bench.measuring.results import write_figures
from tests.bench.measuring.stacks import HELD_TABLES, ORGANISATIONS, started_stack
from tests.bench.measuring.submissions import send_submissions
from tests.support.messaging.idle import wait_until_idle
from tests.support.messaging.workload import workload_client
from tests.support.servers.databases import asyncpg_dsn
from tests.support.waiting import wait_for

COMPLAINTS = 4000
WARM_UP_COMPLAINTS = 3000
PROCESSES = (1, 2, 4, 1)
"""Processes of each service in the stages of a run; the last one shows what of a difference is the order of the stages."""
JOINING_RATE = 60.0
"""Complaints a second while processes join and leave."""
PARTITIONS = 24
SERVICES = ("intake", "triage", "sla", "notify")
"""Those on the way of a complaint."""
PROCEDURE = "one-notice"
SERIES_BATCH = 100
SERIES_SECONDS = 5.0
_HELD = re.compile(r"^jiesu_partitions_held (\d+)", re.MULTILINE)


class ScaledStack:
    """A stack whose services get further processes, `sla-2` and so on."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._ports = iter(free_ports(len(SERVICES) * max(PROCESSES)))

    async def scale(self, number: int) -> None:
        """Start or stop processes until each service has `number`, and wait until they share the partitions."""
        wanted = {_name(service, index) for service in SERVICES for index in range(1, number + 1)}
        for service in SERVICES:
            for index in range(1, max(PROCESSES) + 1):
                name = _name(service, index)
                if name in wanted and name not in self._stack.processes:
                    self._start(service, name)
                elif name not in wanted and name in self._stack.processes:
                    # In a thread, so that complaints go on arriving meanwhile.
                    await asyncio.to_thread(self._stack.processes.pop(name).stop)
        for service in SERVICES:
            names = [_name(service, index) for index in range(1, number + 1)]
            await wait_for(lambda names=names: self._share(names), deadline=TIMEOUT_SECONDS, what=service, pause=0.2)  # type: ignore[misc]

    def _start(self, service: str, name: str) -> None:
        port = next(self._ports)
        process = ManagedProcess(name, self._stack.root / "logs" / f"{name}.log", signal.SIGTERM)
        environment = {**process_environment(service, self._stack.environment), "JIESU_HTTP_PORT": str(port)}
        process.start([sys.executable, "-P", "-m", f"services.{service}"], environment=environment)
        self._stack.processes[name], self._stack.ports[name] = process, port

    async def _share(self, names: list[str]) -> bool:
        held = [await self._partitions(name) for name in names]
        return all(held) and sum(held) == PARTITIONS

    async def _partitions(self, name: str) -> int:
        try:
            async with httpx.AsyncClient(timeout=5) as http:
                found = _HELD.search((await http.get(f"{self._stack.url(name)}/metrics")).text)
        except httpx.TransportError:
            return 0
        return int(found[1]) if found else 0


def _name(service: str, index: int) -> str:
    return service if index == 1 else f"{service}-{index}"


async def measure(stack: Stack, servers: EmbeddedServers, complaints: int) -> dict[str, Any]:
    """The stages one after the other, processes joining and leaving under load in between; then the comparison of everything."""
    database = stack.environment["DATABASE_URL"]
    scaled, stages, sent = ScaledStack(stack), list[dict[str, Any]](), 0
    connection = await asyncpg.connect(asyncpg_dsn(database))
    async with workload_client(stack, organisation=ORGANISATIONS[PROCEDURE]) as senders:
        producer = Producer({"bootstrap_servers": servers.bootstrap_servers}, timeout=30.0)

        async def send(number: int, rate: float = 0.0) -> None:
            nonlocal sent
            sent += number
            await send_submissions(senders, producer, range(sent - number, sent), rate)

        async def settle() -> None:
            await wait_until_idle(database, servers.bootstrap_servers, "", TIMEOUT_SECONDS, ignored_tables=HELD_TABLES[PROCEDURE])

        await send(WARM_UP_COMPLAINTS)
        for number in PROCESSES:
            moving = asyncio.create_task(scaled.scale(number))
            while not moving.done():
                await send(int(JOINING_RATE), JOINING_RATE)
                await asyncio.sleep(1.0)
            await moving
            await settle()
            before, began = measure_usage(stack, servers), time.monotonic()
            await send(complaints)
            await wait_for(lambda: has_reached_notify(connection, sent), deadline=TIMEOUT_SECONDS, what="all requested", pause=0.25)
            took, after = time.monotonic() - began, measure_usage(stack, servers)
            stages.append(
                {
                    "processes": number,
                    "complaints_a_second": round(complaints / took, 1),
                    "cpu_micros_a_complaint": _cpu_by_part(before, after, complaints),
                    "resident_megabytes": sum(size for name, size in after.resident_megabytes.items() if name.split("-")[0] in SERVICES),
                }
            )
            sys.stderr.write(f"{stages[-1]}\n")
        await settle()
        await producer.close()
        result = await reconcile(database, servers.bootstrap_servers, "", senders.accepted)
    series = await measure_series(asyncpg_dsn(database))
    await connection.close()
    figures = {
        "complaints": complaints,
        "sent": sent,
        "procedure": PROCEDURE,
        "stages": stages,
        "series_registrations_a_second": series,
        "lost": result.lost,
        "duplicated": result.duplicated,
        "disordered": result.disordered,
        "details": result.details,
    }
    write_figures("scaling", figures)
    return figures


def _cpu_by_part(before: ResourceUsage, after: ResourceUsage, number: int) -> dict[str, float]:
    """CPU of a complaint by part, the processes of a service together."""
    parts: dict[str, float] = {}
    for name, used in after.cpu_seconds.items():
        part = name.split("-")[0]
        parts[part] = parts.get(part, 0.0) + (used - before.cpu_seconds.get(name, 0.0)) / number * 1e6
    return {part: round(micros, 1) for part, micros in parts.items()}


async def measure_series(dsn: str) -> dict[str, float]:
    """Numbers that four sessions take from one series a second, by complaints in a transaction: the row's lock is held until its commit."""
    rates = {}
    for batch in (1, SERIES_BATCH):
        connections = [await asyncpg.connect(dsn) for _ in range(4)]
        end, taken = time.monotonic() + SERIES_SECONDS, 0

        async def take(connection: asyncpg.Connection, batch: int = batch, end: float = end) -> None:
            nonlocal taken
            while time.monotonic() < end:
                async with connection.transaction():
                    await connection.execute("SET LOCAL search_path TO intake")
                    await connection.execute(
                        "INSERT INTO book (register, year, last) VALUES ('bench', 2026, $1) "
                        "ON CONFLICT (register, year) DO UPDATE SET last = book.last + $1",
                        batch,
                    )
                    await connection.execute(
                        "INSERT INTO refusal (via, source, reference, reason, faults) SELECT 'b', 'b', 'b', 'b', repeat('b', 1500) "
                        "FROM generate_series(1, $1)",
                        batch,
                    )
                taken += batch

        await asyncio.gather(*map(take, connections))
        rates[str(batch)] = round(taken / SERIES_SECONDS, 0)
        for connection in connections:
            await connection.close()
    return rates


def run_benchmark(complaints: int) -> dict[str, Any]:
    """One measurement from start to end."""
    # Sixteen processes share the connections of one server.
    settings = {"JIESU_DATABASE_POOL": "3"}
    with started_stack(PROCEDURE, lambda line: print(line, file=sys.stderr), settings) as (stack, servers):  # noqa: T201
        return asyncio.run(measure(stack, servers, complaints))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--complaints", type=int, default=COMPLAINTS)
    options = parser.parse_args()
    sys.stdout.write(orjson.dumps(run_benchmark(options.complaints), option=orjson.OPT_INDENT_2).decode() + "\n")


if __name__ == "__main__":
    main()
