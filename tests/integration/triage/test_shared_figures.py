"""What the database counts is exported by one of two processes of a service, and by the other one soon after the first was killed."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.embedded.ports import free_ports
from services.triage.config import TriageSettings
from shared.contracts import topics
from shared.runtime.database.database import Database
from shared.runtime.database.measuring import MEASURE_SECONDS
from shared.runtime.kafka.topic_admin import apply_topics
from tests.support.messaging.sample_organisation import write_yaml
from tests.support.messaging.settings import SettingsFactory
from tests.support.repository import PROJECT
from tests.support.waiting import wait_for

LETTERS = 3
_DEAD_LETTER = """
INSERT INTO dead_letter (topic, partition, kafka_offset, key, headers, timestamp_ms, timestamp_type, reason)
SELECT 'complaint-events', 0, number, 'c', '[]', 0, 1, 'unreadable' FROM generate_series(1, $1::int) AS number
"""


@dataclass(frozen=True)
class TriageProcess:
    """A process of triage and the address of its metrics."""

    process: asyncio.subprocess.Process
    port: int


@pytest.fixture
async def environment(make_settings: SettingsFactory, tmp_path: Path) -> dict[str, str]:
    settings = make_settings(TriageSettings)
    await apply_topics(settings, [topics.COMPLAINT_EVENTS, topics.CASE_EVENTS, topics.TRIAGE_EVENTS, topics.CASE_ACTIONS])
    database = Database(settings, "triage")
    async with database.transaction() as tx:
        await tx.execute(_DEAD_LETTER, LETTERS)
    await database.close()
    write_yaml(tmp_path / "organisation.yaml", {"id": "run", "departments": [{"id": "unassigned"}]})
    return {
        "PATH": os.environ.get("PATH", ""),
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "JIESU_TOPIC_PREFIX": settings.topic_prefix,
        "JIESU_ENVIRONMENT": "test",
        "JIESU_LOG_LEVEL": "ERROR",
        "JIESU_ORGANISATION": str(tmp_path / "organisation.yaml"),
    }


@asynccontextmanager
async def running(environment: dict[str, str], port: int) -> AsyncIterator[TriageProcess]:
    """triage in a process of its own, killed at the end of the block."""
    variables = {**environment, "JIESU_HTTP_PORT": str(port)}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "services.triage", cwd=PROJECT, env=variables)
    try:
        yield TriageProcess(process, port)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def scrape(http: httpx.AsyncClient, port: int, name: str) -> float | None:
    """The value of a gauge, None where the process exports no sample of it."""
    text = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
    samples = [sample.value for family in text_string_to_metric_families(text) for sample in family.samples if sample.name == name]
    return samples[0] if samples else None


async def test_one_of_two_processes_exports_what_the_database_counts(environment: dict[str, str]) -> None:
    async with AsyncExitStack() as stack, httpx.AsyncClient(timeout=5) as http:
        processes = [await stack.enter_async_context(running(environment, port)) for port in free_ports(2)]

        async def exported(several: Sequence[TriageProcess]) -> list[float | None]:
            return [await scrape(http, each.port, "jiesu_dead_letters") for each in several]

        async def both_are_ready() -> bool:
            try:
                return [await scrape(http, each.port, "jiesu_ready") for each in processes] == [1, 1]
            except httpx.TransportError:
                return False

        async def one_exports() -> bool:
            return sorted(await exported(processes), key=str) == [LETTERS, None]

        await wait_for(both_are_ready, deadline=40, what="two processes are ready", pause=0.2)
        await wait_for(one_exports, what="one of them exports the dead letters")
        elected, other = processes if await scrape(http, processes[0].port, "jiesu_dead_letters") else reversed(processes)

        elected.process.kill()  # it cannot resign
        await elected.process.wait()
        killed = time.monotonic()

        async def other_exports() -> bool:
            return await exported([other]) == [LETTERS]

        await wait_for(other_exports, deadline=2 * MEASURE_SECONDS, what="the other process exports them")
        assert time.monotonic() - killed <= MEASURE_SECONDS
