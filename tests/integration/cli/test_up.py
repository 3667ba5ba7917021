"""`jiesu up` as a person meets it: a killed service comes back, a stopped and a stalled one are shown, the end leaves no addresses."""

import os
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from cli.service_names import SERVICES
from cli.stack.addresses import Addresses, read_addresses, read_settings
from cli.status.collecting import collect
from cli.status.model import ENDED, STALLED, StackStatus
from shared.runtime.process.settings import RuntimeSettings
from tests.support.repository import PROJECT
from tests.support.waiting import wait_for

SILENCE_SECONDS = 4.0


class RunningUp:
    """A `jiesu up` in a folder of its own, on the servers of the session."""

    def __init__(self, root: Path, environment: dict[str, str]) -> None:
        self.root = root
        self.output = root.with_suffix(".out")
        words = [str(PROJECT / ".venv" / "bin" / "jiesu"), "up", "--root", str(root), "--free-ports", "--without-prometheus"]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(words, env={**os.environ, **environment}, cwd=PROJECT, stdout=output, stderr=output)

    @property
    def addresses(self) -> Addresses:
        addresses = read_addresses(self.root)
        assert addresses is not None
        return addresses

    def said(self, words: str) -> bool:
        assert self.process.poll() is None, self.output.read_text()
        return words in self.output.read_text()

    def pid(self, service: str) -> int:
        return self.addresses.processes[service].pid

    async def status(self) -> StackStatus:
        return await collect(_settings(self.root), self.root, self.addresses)

    async def has_state(self, service: str, state: str) -> bool:
        return {each.service: each.state for each in (await self.status()).processes}[service] == state


def _settings(root: Path) -> RuntimeSettings:
    values = read_settings(root)
    return RuntimeSettings(
        kafka_bootstrap_servers=values["KAFKA_BOOTSTRAP_SERVERS"],
        database_url=SecretStr(values["DATABASE_URL"]),
        topic_prefix=values["JIESU_TOPIC_PREFIX"],
        silence_seconds=float(values["JIESU_SILENCE_SECONDS"]),
        heartbeat_seconds=float(values["JIESU_HEARTBEAT_SECONDS"]),
    )


@pytest.fixture
async def running_up(tmp_path: Path, bootstrap_servers: str, database_url: str, topic_prefix: str) -> AsyncIterator[RunningUp]:
    servers = {"KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers, "DATABASE_URL": database_url, "JIESU_TOPIC_PREFIX": topic_prefix}
    beating = {"JIESU_HEARTBEAT_SECONDS": "0.3", "JIESU_SILENCE_SECONDS": str(SILENCE_SECONDS)}
    running = RunningUp(tmp_path / "up", {**servers, **beating})
    try:
        await wait_for(lambda: running.said("kept in"), 60)
        yield running
    finally:
        running.process.terminate()
        running.process.wait(30)


async def test_services_come_back_and_those_that_are_gone_or_stalled_are_shown(running_up: RunningUp) -> None:
    await wait_for(lambda: _is_well(running_up), 30)
    status = await running_up.status()
    assert {service: sum((work.lag_records or {"unread": 1}).values()) for service, work in status.work.items()} == dict.fromkeys(
        SERVICES, 0
    )
    assert {(work.outbox_messages, work.timers, work.dead_letters) for work in status.work.values()} == {(0, 0, 0)}
    killed = running_up.pid("sla")
    os.kill(killed, signal.SIGKILL)
    assert await running_up.has_state("sla", ENDED)
    await wait_for(lambda: running_up.said("sla ended (SIGKILL); it is started again in 1 s"))
    await wait_for(lambda: running_up.said("sla was started again"))
    assert running_up.pid("sla") != killed
    await wait_for(lambda: _is_well(running_up), 30)
    [sla] = [each for each in (await running_up.status()).processes if each.service == "sla"]
    assert (sla.restarts, sla.last_end, sla.pid) == (1, "SIGKILL", running_up.pid("sla"))
    await _stall_and_resume(running_up)
    running_up.process.terminate()
    assert running_up.process.wait(30) == 0
    assert read_addresses(running_up.root) is None
    assert "stopping …" in running_up.output.read_text()


async def _stall_and_resume(running: RunningUp) -> None:
    stalled = running.pid("notify")
    os.kill(stalled, signal.SIGSTOP)
    try:
        await wait_for(lambda: running.has_state("notify", STALLED))
        status = await running.status()
        assert any(problem.startswith("notify is stalled (no heartbeat for ") for problem in status.problems)
        # The others see it too: this is what the alert is made of.
        await wait_for(lambda: _logged(running, "sla", '"event":"a process stands still"'))
        assert any("a process stands still" in error.text for error in (await running.status()).last_errors)
    finally:
        os.kill(stalled, signal.SIGCONT)
    await wait_for(lambda: _is_well(running), 30)


async def _is_well(running: RunningUp) -> bool:
    return (await running.status()).problems == []


def _logged(running: RunningUp, service: str, words: str) -> bool:
    return words in (running.root / "logs" / f"{service}.log").read_text()
