"""A service with a fault in its code is found in the running system, by the name of what it does; the right one is not."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
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
"""Builds that lose records never come to their end."""
START_SECONDS = 600.0
FACTOR = 600.0
"""Domain seconds in a real second: deadlines of the cases that nobody handles have to fall due."""
BUILDS: dict[str, tuple[str, ...]] = {
    "intake": ("sends after the commit",),
    "sla": ("claims every record", "sends in reverse", "sends what nothing caused", "forgets timers", "fires early"),
    "notify": ("sends under another key",),
    "desk": ("forgets events",),
}
"""Services with what their builds do wrong."""
FOUND = {
    "lost": "complaint-events",
    "doubled": "inputs from action",
    "reordered": "out of order",
    "phantom": "unexpected",
    "early": "breaches before their deadline",
    "invented": "messages at a gateway without a delivery",
    "unseen": "cases whose last event the desk lacks",
    "stuck": "timers overdue",
}
"""Anomalies with words of the line that names the one that was planted."""


@pytest.mark.timeout(1800)
def test_right_builds_have_no_anomaly(tmp_path: Path) -> None:
    with faulty_system(tmp_path, "right") as system:
        anomalies = asyncio.run(_run(system, {}))
    assert anomalies.none, anomalies


@pytest.mark.timeout(1800)
def test_what_each_broken_build_does_is_found_by_its_name(tmp_path: Path) -> None:
    with faulty_system(tmp_path, "broken", factor=FACTOR) as system:
        anomalies = asyncio.run(_run(system, BUILDS))
    print(anomalies.numbers, *anomalies.details, sep="\n")  # noqa: T201 - figures
    assert anomalies.numbers.keys() == FOUND.keys(), anomalies
    for anomaly, words in FOUND.items():
        assert any(words in line for line in anomalies.details), f"{anomaly}: {anomalies.details}"


async def _run(system: FaultySystem, builds: Mapping[str, Sequence[str]]) -> Anomalies:
    for service, names in builds.items():
        _start_build(system.stack, service, names)
    for service in builds:
        await wait_for(partial(system.processes.wait_ready, service), START_SECONDS, what=f"{service} is ready")
    async with workload_client(system.stack, now=system.clock.now) as client:
        client.timeout = START_SECONDS
        async with asyncio.TaskGroup() as group:
            # What a build sends after its commit is lost where the broker does not take it.
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


def _start_build(stack: Stack, service: str, builds: Sequence[str]) -> None:
    stack.processes[service].kill()
    process = ManagedProcess(service, stack.root / "logs" / f"{service}.log", signal.SIGTERM)
    environment = {
        **process_environment(service, stack.environment),
        "JIESU_HTTP_PORT": str(stack.ports[service]),
        "PYTHONPATH": str(PROJECT),
    }
    command = [sys.executable, "-m", "tests.support.faults.broken_builds", service, *builds]
    process.start(command, environment=environment, keep_log=True)
    stack.processes[service] = process


async def _handle(client: WorkloadClient, number: int) -> None:
    case = await (client.submit_by_http if number % 2 else client.submit_by_kafka)(number)
    for step in range(len(HANDLING_STEPS) if number % 2 else 1):
        await client.send_step(case, step)


async def _send_actions_again(client: WorkloadClient) -> None:
    """As a producer does that did not get the broker's answer: under the same ids."""
    for record in await client.topic_client.read_records(CASE_ACTIONS):
        await client.topic_client.send(CASE_ACTIONS.name, record.key, record.value, list(record.headers), record.partition)


async def _desk_has_read(system: FaultySystem) -> bool:
    return (await unread_records(system.bootstrap_servers, "", ["desk"]))["desk"] == 0
