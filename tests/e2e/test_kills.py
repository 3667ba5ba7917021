"""Four processes under load, each killed again and again, then the broker and the database: nothing is lost, repeated or out of order."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from cli.reconciliation.reconciliation import Reconciliation, reconcile
from cli.service_names import SERVICES
from cli.stack.stack import Stack, recreate_database, running_stack
from deploy.embedded import EmbeddedServers
from tests.support.messaging.idle import wait_until_idle
from tests.support.messaging.workload import HANDLING_STEPS, ORGANISATION, WorkloadClient, workload_client
from tests.support.servers.databases import asyncpg_dsn
from tests.support.servers.session_servers import FAST_POSTGRES_SETTINGS
from tests.support.waiting import wait_for

KILLS = 2
SENDERS = 3
AT_LEAST = 150
PATIENCE = 240.0
"""Seconds for what takes some on an idle machine: starting again is work, and a killed member leaves its group after six seconds."""
PROGRESS = {
    "intake": "intake.complaint",
    "triage": "triage.known",
    "sla": "sla.ledger",
    "notify": "notify.delivery",
    "desk": "desk.case_event",
}
"""What grows while a service works."""


@pytest.mark.timeout(900)
def test_nothing_is_lost_or_repeated_when_every_process_and_server_is_killed_under_load(
    own_servers: Callable[..., EmbeddedServers], tmp_path: Path
) -> None:
    servers = own_servers(postgres_settings={**FAST_POSTGRES_SETTINGS, "max_connections": "100"})
    digests = {"JIESU_DIGEST_AFTER": "1", "JIESU_DIGEST_WINDOW": "2", "JIESU_DIGEST_URGENT_GAP": "1"}
    environment = {**servers.environment, **digests, "DATABASE_URL": recreate_database(servers.database_url, "kills")}
    with running_stack(tmp_path / "stack", environment, ORGANISATION) as stack:
        result = asyncio.run(_under_fire(stack, servers))
    assert result.is_consistent, result
    assert result.accepted >= AT_LEAST
    assert result.counts["sla.ledger, from action"] > AT_LEAST


async def _under_fire(stack: Stack, servers: EmbeddedServers) -> Reconciliation:
    over = asyncio.Event()
    async with workload_client(stack) as senders, asyncio.TaskGroup() as group:
        sending = [group.create_task(_work(senders, first, over)) for first in range(SENDERS)]
        await asyncio.gather(*(_kill_again_and_again(stack, service) for service in SERVICES))
        await _kill_servers(stack, servers)
        over.set()
        await asyncio.gather(*sending)
    stack.wait_ready()
    database = stack.environment["DATABASE_URL"]
    await wait_until_idle(database, servers.bootstrap_servers, "", PATIENCE)
    result = await reconcile(database, servers.bootstrap_servers, "", senders.accepted, senders.actions)
    await _see_what_is_wrong(database, servers.bootstrap_servers, senders)
    return result


async def _see_what_is_wrong(database: str, bootstrap_servers: str, senders: WorkloadClient) -> None:
    """The same count notices a case that one service does not know, a changed event, and a submission that never arrived."""
    await _execute(database, "DELETE FROM triage.known WHERE case_id = (SELECT min(case_id) FROM triage.known)")
    await _execute(
        database, "UPDATE sla.ledger SET hash = decode('00', 'hex') WHERE sequence = 2 AND case_id = (SELECT min(id) FROM sla.cases)"
    )
    result = await reconcile(database, bootstrap_servers, "", {*senders.accepted, "never arrived"}, senders.actions)
    assert result.lost >= 1 + 1 + 6, result
    assert any("never arrived" in line for line in result.details)


async def _work(senders: WorkloadClient, first: int, over: asyncio.Event) -> None:
    """Complaints one after the other, some by HTTP, each followed by none to all of the actions; the first ones wait for their case."""
    number = first
    while not over.is_set() or len(senders.accepted) < AT_LEAST:
        case = await (senders.submit_by_http if number % 5 == 0 else senders.submit_by_kafka)(number)
        for step in range(number % (len(HANDLING_STEPS) + 1)):
            await senders.send_step(case, step, http=number % 11 == 0)
        number += SENDERS


async def _kill_again_and_again(stack: Stack, service: str) -> None:
    for _ in range(KILLS):
        before = await _rows(stack, service)
        await wait_for(lambda before=before: _grown(stack, service, before), deadline=PATIENCE, what=f"{service} at work")  # type: ignore[misc]
        stack.processes[service].kill()
        stack.start(service)


async def _kill_servers(stack: Stack, servers: EmbeddedServers) -> None:
    for server in (servers.kafka, servers.postgres):
        assert server is not None
        before = await _rows(stack, "notify")
        await wait_for(lambda before=before: _grown(stack, "notify", before), deadline=PATIENCE, what="all at work")  # type: ignore[misc]
        server.kill()
        server.start()  # here, since it ends with the thread that starts it


async def _execute(database: str, statement: str) -> None:
    connection = await asyncpg.connect(asyncpg_dsn(database))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _grown(stack: Stack, service: str, before: int) -> bool:
    return await _rows(stack, service) > before


async def _rows(stack: Stack, service: str) -> int:
    connection = await asyncpg.connect(asyncpg_dsn(stack.environment["DATABASE_URL"]))
    try:
        return int(await connection.fetchval(f"SELECT count(*) FROM {PROGRESS[service]}"))
    finally:
        await connection.close()
