"""Each service alone: it works off what the service before it has sent, while all others are stopped."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from cli.stack.stack import Stack
from deploy.embedded import EmbeddedServers
from shared.runtime.kafka.producer import Producer
from tests.bench.limits.hops import HOPS
from tests.bench.limits.systems import TIMEOUT_SECONDS, real_system
from tests.bench.measuring.backlog import Backlog, open_backlog
from tests.bench.measuring.outcome import Bench, Options, Outcome
from tests.bench.measuring.processes import cpu_by_part, process_family
from tests.bench.measuring.stacks import started_stack
from tests.bench.measuring.submissions import CHUNK, send_chunk
from tests.bench.measuring.tables import table
from tests.support.waiting import wait_for

PROCEDURE = "one-notice"
COMPLAINTS = 6000


@dataclass(frozen=True)
class _Reading:
    """How far a service is, and what has been used until then."""

    at: float
    unread: int
    cpu_seconds: Mapping[str, float]


def measure(options: Options) -> Outcome:
    """Rounds on one stack; each sends complaints through the services, one service after the other."""
    complaints = options.complaints or COMPLAINTS
    with started_stack(PROCEDURE, lambda line: print(line, file=sys.stderr)) as (stack, servers):  # noqa: T201
        for sink in ("desk", "sinks"):
            stack.processes.pop(sink).stop()
        system = real_system(stack)
        asyncio.run(system.run_round(servers, complaints))
        rounds = [asyncio.run(_round(stack, servers, complaints, (number + 1) * 1_000_000)) for number in range(options.rounds)]
    return Outcome({"complaints": complaints, "rounds": rounds})


async def _round(stack: Stack, servers: EmbeddedServers, complaints: int, first: int) -> dict[str, dict[str, float]]:
    for service in HOPS:
        stack.processes[service].stop()
    producer = Producer({"bootstrap_servers": servers.bootstrap_servers}, timeout=30.0)
    for start in range(first, first + complaints, CHUNK):
        await send_chunk(producer, range(start, min(start + CHUNK, first + complaints)))
    await producer.close()
    figures = {}
    for service in HOPS:
        async with open_backlog(servers.bootstrap_servers, stack.environment["DATABASE_URL"], "", [service]) as backlog:
            figures[service] = await _work_off(stack, servers, backlog, service, complaints)
        stack.processes[service].stop()
        sys.stderr.write(f"{service}: {figures[service]}\n")
    for service in HOPS:
        stack.start(service)
    async with open_backlog(servers.bootstrap_servers, stack.environment["DATABASE_URL"], "") as backlog:
        await wait_for(backlog.is_empty, deadline=TIMEOUT_SECONDS, what="the end of the round", pause=0.2)
    return figures


async def _work_off(stack: Stack, servers: EmbeddedServers, backlog: Backlog, service: str, complaints: int) -> dict[str, float]:
    total = await backlog.unread()
    pid = stack.start(service).pid
    began: list[_Reading] = []

    async def is_under_way() -> bool:
        began[:] = [await _reading(servers, backlog, pid)]
        return began[0].unread < total

    await wait_for(is_under_way, deadline=TIMEOUT_SECONDS, what=f"{service} reads", pause=0.02)
    await wait_for(backlog.is_empty, deadline=TIMEOUT_SECONDS, what=f"{service} has read everything", pause=0.05)
    [start], end = began, await _reading(servers, backlog, pid)
    if not start.unread:
        raise ValueError(f"{service} had read all before it could be measured: name more --complaints than {complaints}")
    done = complaints * start.unread / total
    micros = {part: round((end.cpu_seconds[part] - start.cpu_seconds[part]) / done * 1e6, 1) for part in end.cpu_seconds}
    return {"complaints_a_second": round(done / (end.at - start.at), 1), "measured_complaints": round(done), **micros}


async def _reading(servers: EmbeddedServers, backlog: Backlog, pid: int) -> _Reading:
    assert servers.kafka is not None
    assert servers.postgres is not None
    parts = {"service": [pid], "kafka": [servers.kafka.process.pid], "postgres": process_family(servers.postgres.process.pid)}
    unread = await backlog.unread()
    return _Reading(time.monotonic(), unread, cpu_by_part(parts))


def section(figures: Mapping[str, Any]) -> Iterator[str]:
    """A row a service."""
    rounds: Sequence[Mapping[str, Mapping[str, float]]] = figures["rounds"]
    yield f"`one-notice`, medians of {len(rounds)} rounds of {figures['complaints']:,} complaints. The records of each service wait in its"
    yield "topics before it starts; measured from its first committed batch until all are read and its outbox is empty.\n"
    parts = ("complaints_a_second", "service", "kafka", "postgres")
    rows = [(service, *(f"{median(each[service][part] for each in rounds):,.0f}" for part in parts)) for service in HOPS]
    yield from table(("", "complaints a second", "service, CPU µs a complaint", "kafka", "postgres"), rows)


BENCH = Bench("Each service alone", measure, section)
