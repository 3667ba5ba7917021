"""Complaints and actions that do not stop while processes come and go, and the tables of either version."""

import asyncio
from collections.abc import Mapping
from typing import Self

import asyncpg

from cli.reconciliation.reconciliation import reconcile
from cli.service_names import SERVICES
from cli.stack.stack import migrate_service
from shared.runtime.process.settings import RuntimeSettings
from tests.support.messaging.idle import wait_until_idle
from tests.support.messaging.workload import HANDLING_STEPS, WorkloadClient
from tests.support.migrations import upgrade_to
from tests.support.servers.databases import asyncpg_dsn
from tests.support.upgrades.two_versions import OLD_SERVICES, PATIENCE
from tests.support.waiting import wait_for

BATCH = 24
"""Complaints of a stage: where two processes share the partitions, both get some but for one time in eight million."""
_SENDERS = 6
_BASELINE = "0001"
_DEAD_LETTERS = " UNION ALL ".join(f"SELECT '{service}' AS service, reason FROM {service}.dead_letter" for service in OLD_SERVICES)
_UNKEYED = "SELECT count(*) FROM sla.cases WHERE length(personal_key) <> 32"


class Load:
    """Six senders; each sends a complaint by Kafka with none to all of the actions, waits until sla has the case, and sends the next."""

    def __init__(self, client: WorkloadClient) -> None:
        self._client = client
        self._over = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._pool: asyncpg.Pool

    async def __aenter__(self) -> Self:
        self._pool = await asyncpg.create_pool(asyncpg_dsn(self._client.stack.environment["DATABASE_URL"]), min_size=1, max_size=2)
        self._tasks = [asyncio.create_task(self._send(first)) for first in range(_SENDERS)]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()
        await self._pool.close()

    async def end(self) -> None:
        """Stop sending; raises what a sender could not send."""
        self._over.set()
        await asyncio.gather(*self._tasks)

    async def wait_for_more(self, number: int) -> None:
        """Wait until so many more complaints were sent."""
        wanted = len(self._client.accepted) + number
        await wait_for(lambda: len(self._client.accepted) >= wanted or self._failed(), deadline=PATIENCE, what="complaints sent", pause=0.1)

    def _failed(self) -> bool:
        return any(task.done() for task in self._tasks)

    async def _send(self, first: int) -> None:
        number = first
        while not self._over.is_set():
            case = await self._client.submit_by_kafka(number)
            for step in range(number % (len(HANDLING_STEPS) + 1)):
                await self._client.send_step(case, step)
            # Else they would send thousands of complaints while processes start, and measure the machine's patience.
            await wait_for(lambda case=case: self._has_case(case), deadline=PATIENCE, what=f"case of complaint {number}", pause=0.05)  # type: ignore[misc]
            number += _SENDERS

    async def _has_case(self, case: str) -> bool:
        return bool(await self._pool.fetchval("SELECT EXISTS (SELECT FROM sla.cases WHERE id = $1)", case))


async def migrate_to_baseline(environment: Mapping[str, str]) -> None:
    """Create the tables that the old version knows."""
    for service in OLD_SERVICES:
        await upgrade_to(_settings(environment), service, _BASELINE)


async def migrate_all(environment: Mapping[str, str]) -> None:
    """Bring the tables of all services to the newest revision, as `jiesu migrate` does."""
    for service in SERVICES:
        await migrate_service(_settings(environment), service)


async def require_consistent(environment: Mapping[str, str], client: WorkloadClient, least: int) -> None:
    """Wait until all is processed; fail unless every complaint and action is in every table and topic once, in order, undamaged."""
    database, servers = environment["DATABASE_URL"], environment["KAFKA_BOOTSTRAP_SERVERS"]
    prefix = environment.get("JIESU_TOPIC_PREFIX", "")
    await wait_until_idle(database, servers, prefix, PATIENCE)
    result = await reconcile(database, servers, prefix, client.accepted, client.actions)
    assert result.is_consistent, result
    assert result.accepted >= least
    connection = await asyncpg.connect(asyncpg_dsn(database))
    assert await connection.fetch(_DEAD_LETTERS) == []
    assert await connection.fetchval(_UNKEYED) == 0
    await connection.close()


def _settings(environment: Mapping[str, str]) -> RuntimeSettings:
    return RuntimeSettings(
        environment="test", database_url=environment["DATABASE_URL"], kafka_bootstrap_servers=environment["KAFKA_BOOTSTRAP_SERVERS"]
    )
