"""A service with a fault in its code is found in the running system, by the name of what it does; the right one is not."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from click import ClickException

from cli.demo.shutdown import shut_down_in_order
from cli.stack.process_environment import process_environment
from cli.stack.stack import Stack
from deploy.embedded.process import ManagedProcess
from shared.contracts.topics import CASE_ACTIONS
from tests.support.faults.anomalies import Anomalies, find_anomalies
from tests.support.faults.plan import BROKER, PlannedFault
from tests.support.faults.system import FaultySystem, faulty_system
from tests.support.messaging.idle import unread_records
from tests.support.messaging.workload import HANDLING_STEPS, WorkloadClient, workload_client
from tests.support.repository import PROJECT
from tests.support.waiting import wait_for

COMPLAINTS = 24
PATIENCE_SECONDS = 40.0
"""A build that loses records never comes to its end."""
BUILDS: tuple[tuple[Mapping[str, str], set[str]], ...] = (
    ({}, set()),
    ({"intake": "sends after the commit"}, {"lost"}),
    ({"sla": "claims every record"}, {"doubled"}),
    ({"desk": "forgets events"}, {"unseen"}),
    ({"sla": "sends in reverse"}, {"reordered"}),
    ({"triage": "sends what nothing caused"}, {"phantom"}),
    ({"sla": "fires early"}, {"early"}),
    ({"notify": "sends under another key"}, {"invented"}),
    ({"sla": "forgets timers"}, {"stuck"}),
)
"""Services with their build, and what has to be found."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("builds", "expected"), BUILDS, ids=[next(iter(builds.values()), "none") for builds, _ in BUILDS])
def test_what_a_build_does_wrong_is_found(builds: Mapping[str, str], expected: set[str], tmp_path: Path) -> None:
    with faulty_system(tmp_path, "planted") as system:
        anomalies = asyncio.run(_run(system, builds))
    print(builds, anomalies.numbers, anomalies.details)  # noqa: T201 - figures
    assert anomalies.numbers.keys() >= expected, anomalies
    assert anomalies.none or expected


async def _run(system: FaultySystem, builds: Mapping[str, str]) -> Anomalies:
    for service, build in builds.items():
        _start_build(system.stack, service, build)
        assert await system.processes.wait_ready(service)
    async with workload_client(system.stack, now=system.clock.now) as client:
        async with asyncio.TaskGroup() as group:
            group.create_task(system.inject(PlannedFault(1, 0.0, "kill", BROKER, 0.0)))
            for number in range(COMPLAINTS):
                group.create_task(_handle(client, number))
        await _send_actions_again(client)
        with suppress(ClickException):
            await shut_down_in_order(system.stack, "", client.accepted, PATIENCE_SECONDS)
    with suppress(AssertionError):
        await wait_for(lambda: _desk_has_read(system), PATIENCE_SECONDS)
    system.stack.stop()
    return await find_anomalies(system.database_url, system.bootstrap_servers, client.accepted, client.actions, system.stack.root / "sinks")


def _start_build(stack: Stack, service: str, build: str) -> None:
    stack.processes[service].kill()
    process = ManagedProcess(service, stack.root / "logs" / f"{service}.log", signal.SIGTERM)
    environment = {
        **process_environment(service, stack.environment),
        "JIESU_HTTP_PORT": str(stack.ports[service]),
        "PYTHONPATH": str(PROJECT),
    }
    command = [sys.executable, "-m", "tests.support.faults.broken_builds", build, service]
    process.start(command, environment=environment, keep_log=True)
    stack.processes[service] = process


async def _handle(client: WorkloadClient, number: int) -> None:
    case = await (client.submit_by_http if number % 2 else client.submit_by_kafka)(number)
    for step in range(len(HANDLING_STEPS)):
        await client.send_step(case, step)


async def _send_actions_again(client: WorkloadClient) -> None:
    """As a producer does that did not get the broker's answer: under the same ids."""
    for record in await client.topic_client.read_records(CASE_ACTIONS):
        await client.topic_client.send(CASE_ACTIONS.name, record.key, record.value, list(record.headers), record.partition)


async def _desk_has_read(system: FaultySystem) -> bool:
    return (await unread_records(system.bootstrap_servers, "", ["desk"]))["desk"] == 0
