"""The three systems that are compared: bare aiokafka, the delivery skeleton, and the real services."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from pydantic import SecretStr

from cli.stack.stack import Stack, migrate_service, recreate_database
from deploy.embedded import EmbeddedServers
from deploy.embedded.process import ManagedProcess
from shared.contracts.topics import CREATED_TOPICS
from shared.runtime.kafka.producer import Producer
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.process.settings import RuntimeSettings
from tests.bench.limits.hops import DEPARTMENT, HOPS, RecordShape
from tests.bench.limits.skeleton_service import CREATE_STATE
from tests.bench.measuring.backlog import open_backlog
from tests.bench.measuring.processes import cpu_by_part, process_family
from tests.bench.measuring.submissions import CHUNK, send_chunk
from tests.support.servers.databases import asyncpg_dsn
from tests.support.waiting import wait_for

TIMEOUT_SECONDS = 600.0


@dataclass(frozen=True)
class HopCommand:
    """How to start the process of a hop, and to start it again."""

    module: str
    folder: Path
    environment: Mapping[str, str]
    python: str = sys.executable

    def start(self, hop: str, exits: ExitStack, profile: Path | None = None) -> ManagedProcess:
        """Start it; it stops with `exits`, and then writes its profile if that has a path."""
        process = ManagedProcess(hop, self.folder / f"{hop}.log", signal.SIGTERM)
        module = [self.module] if profile is None else ["tests.bench.measuring.profiled", str(profile), self.module]
        process.start([self.python, "-P", "-m", *module, hop, str(self.folder / "shape.json")], environment=self.environment)
        exits.callback(process.stop)
        return process

    def start_all(self, shape: RecordShape, hops: Sequence[str], exits: ExitStack) -> dict[str, ManagedProcess]:
        """Store the shape and start the hops."""
        self.folder.mkdir(parents=True)
        shape.write(self.folder / "shape.json")
        return {hop: self.start(hop, exits) for hop in hops}


@dataclass
class ComparedSystem:
    """Processes that read submissions from the topic with this prefix; without a database if `database_url` is None."""

    name: str
    prefix: str
    database_url: str | None
    processes: Mapping[str, ManagedProcess]
    command: HopCommand | None = None
    sent: int = 0

    async def run_round(self, servers: EmbeddedServers, complaints: int) -> dict[str, float]:
        """Send complaints and wait until nothing is left to do; returns the rate and CPU µs a complaint by part."""
        producer = Producer({"bootstrap_servers": servers.bootstrap_servers}, timeout=30.0)
        async with open_backlog(servers.bootstrap_servers, self.database_url, self.prefix) as backlog:
            await send_chunk(producer, range(self.sent, self.sent + 1), self.prefix)  # connects
            before, began = cpu_by_part(self._process_ids(servers)), time.monotonic()
            for first in range(self.sent + 1, self.sent + complaints, CHUNK):
                await send_chunk(producer, range(first, min(first + CHUNK, self.sent + complaints)), self.prefix)
            await wait_for(backlog.is_empty, deadline=TIMEOUT_SECONDS, what=self.name, pause=0.1)
            took, after = time.monotonic() - began, cpu_by_part(self._process_ids(servers))
        self.sent += complaints
        await producer.close()
        micros = {part: round((after[part] - before.get(part, 0.0)) / complaints * 1e6, 1) for part in after}
        return {"complaints_a_second": round(complaints / took, 1), **micros}

    def _process_ids(self, servers: EmbeddedServers) -> dict[str, list[int]]:
        assert servers.kafka is not None
        assert servers.postgres is not None
        hops = {name: [process.pid] for name, process in self.processes.items() if name in HOPS}
        postgres = {"postgres": process_family(servers.postgres.process.pid)} if self.database_url else {}
        return {**hops, **postgres, "kafka": [servers.kafka.process.pid], "client": [os.getpid()]}


def start_bare(servers: EmbeddedServers, folder: Path, shape: RecordShape, exits: ExitStack) -> ComparedSystem:
    """Four processes of bare aiokafka on topics of their own."""
    prefix = "bare-"
    _create_topics(servers, prefix)
    environment = {"KAFKA_BOOTSTRAP_SERVERS": servers.bootstrap_servers, "JIESU_TOPIC_PREFIX": prefix}
    command = HopCommand("tests.bench.limits.bare_hop", folder / "bare", environment)
    return ComparedSystem("bare", prefix, None, command.start_all(shape, tuple(HOPS), exits), command)


def start_skeleton(
    servers: EmbeddedServers, folder: Path, shape: RecordShape, exits: ExitStack, hops: Sequence[str] = tuple(HOPS)
) -> ComparedSystem:
    """Services without decisions, on topics and in a database of their own."""
    prefix = "skeleton-"
    _create_topics(servers, prefix)
    database_url = recreate_database(servers.database_url, "skeleton")
    asyncio.run(_create_tables(servers, database_url))
    environment = {
        **servers.environment,
        "DATABASE_URL": database_url,
        "JIESU_TOPIC_PREFIX": prefix,
        "JIESU_LOG_LEVEL": "WARNING",
    }
    command = HopCommand("tests.bench.limits.skeleton_service", folder / "skeleton", environment)
    return ComparedSystem("skeleton", prefix, database_url, command.start_all(shape, hops, exits), command)


def real_system(stack: Stack) -> ComparedSystem:
    """The services of a stack, which run already."""
    return ComparedSystem("real", "", stack.environment["DATABASE_URL"], stack.processes)


async def _create_tables(servers: EmbeddedServers, database_url: str) -> None:
    settings = RuntimeSettings(environment="test", kafka_bootstrap_servers=servers.bootstrap_servers, database_url=SecretStr(database_url))
    for service in HOPS:
        await migrate_service(settings, service)
    connection = await asyncpg.connect(asyncpg_dsn(database_url))
    for service in HOPS:
        await connection.execute(CREATE_STATE.format(schema=service))
    await connection.close()


def _create_topics(servers: EmbeddedServers, prefix: str) -> None:
    settings = RuntimeSettings(environment="test", kafka_bootstrap_servers=servers.bootstrap_servers, topic_prefix=prefix)
    asyncio.run(apply_topics(settings, [*CREATED_TOPICS, DEPARTMENT]))
