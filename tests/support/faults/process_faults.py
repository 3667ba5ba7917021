"""Faults of the services and the sinks: killed, frozen, joined by further processes, restarted in turn, on another clock."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from time import monotonic

import httpx

from cli.service_names import SERVICES
from cli.stack.process_environment import process_environment
from cli.stack.stack import SINKS, Stack
from deploy.embedded.process import ManagedProcess
from shared.runtime.clock import Clock
from tests.support.faults.plan import PlannedFault

SUPERVISION_SECONDS = 0.5
CLOCK_SHIFT = timedelta(minutes=10)
READY_SECONDS = 20.0
"""A process that is not ready by then is left alone: another fault keeps it from the servers."""


@dataclass
class ProcessFaults:
    """Hits the processes of the stack; `restarts` counts those that ended by themselves and were started again.

    `megabytes` is the most resident memory that a process of each service had.
    """

    stack: Stack
    clock: Clock
    restarts: Counter[str] = field(default_factory=Counter)
    megabytes: dict[str, float] = field(default_factory=dict)
    _down: set[str] = field(default_factory=set)

    async def supervise(self) -> None:
        """Start again what ended by itself, as an orchestrator does, until cancelled."""
        while True:
            for name in (SINKS, *SERVICES):
                if name not in self._down and not self.stack.processes[name].running:
                    self.restarts[f"{name}, {self.stack.processes[name].how_it_ended}"] += 1
                    self.stack.start(name, keep_log=True)
                self.megabytes[name] = max(self.megabytes.get(name, 0.0), _peak_megabytes(self.stack.processes[name].pid))
            await asyncio.sleep(SUPERVISION_SECONDS)

    async def end_and_start(self, fault: PlannedFault) -> None:
        """Kill or terminate the process, and start it again after the length of the fault."""
        self._down.add(fault.target)
        process = self.stack.processes[fault.target]
        await asyncio.to_thread(process.stop if fault.kind == "terminate" else process.kill)
        await asyncio.sleep(fault.seconds)
        self.stack.start(fault.target, keep_log=True)
        self._down.discard(fault.target)

    async def freeze(self, fault: PlannedFault) -> None:
        """Stop the process with SIGSTOP for the length of the fault."""
        process = self.stack.processes[fault.target]
        with suppress(ProcessLookupError):  # it ended by itself a moment before
            process.freeze()
            await asyncio.sleep(fault.seconds)
            process.thaw()

    async def join(self, fault: PlannedFault) -> None:
        """A second process joins the service's consumer group and leaves it again."""
        async with self._further_process(fault.target, 2):
            await asyncio.sleep(fault.seconds)

    async def join_two(self, fault: PlannedFault) -> None:
        """A second and a third process join; the third is killed, so that the group learns it only from the time of its session."""
        async with self._further_process(fault.target, 2):
            await asyncio.sleep(fault.seconds / 3)
            async with self._further_process(fault.target, 3) as third:
                await asyncio.sleep(fault.seconds / 3)
                await asyncio.to_thread(third.kill)
            await asyncio.sleep(fault.seconds / 3)

    async def roll(self, fault: PlannedFault) -> None:
        """Two processes are restarted one after the other, each when the other is ready."""
        async with self._further_process(fault.target, 2) as second:
            await self.wait_ready(f"{fault.target}-2")
            await self.end_and_start(replace(fault, kind="terminate", seconds=0.0))
            await self.wait_ready(fault.target)
            await asyncio.to_thread(second.stop)
            self._start_further(second, f"{fault.target}-2")
            await self.wait_ready(f"{fault.target}-2")

    async def shift_clock(self, fault: PlannedFault) -> None:
        """The process runs on a clock ten minutes ahead or behind, and then on the right one again."""
        shift = CLOCK_SHIFT if fault.kind == "clock ahead" else -CLOCK_SHIFT
        shifted = replace(self.stack, environment={**self.stack.environment, "JIESU_CLOCK": clock_setting(self.clock, shift)})
        self._down.add(fault.target)
        for stack, seconds in ((shifted, fault.seconds), (self.stack, 0.0)):
            await asyncio.to_thread(self.stack.processes[fault.target].kill)
            stack.start(fault.target, keep_log=True)
            await asyncio.sleep(seconds)
        self._down.discard(fault.target)

    async def wait_ready(self, name: str) -> bool:
        """Whether the process is ready, and in its group, within READY_SECONDS."""
        end = monotonic() + READY_SECONDS
        async with httpx.AsyncClient(timeout=2) as client:
            while monotonic() < end:
                with suppress(httpx.TransportError):
                    answer = await client.get(f"{self.stack.url(name)}/ready")
                    if answer.is_success and answer.json()["state"] == "ready":
                        return True
                await asyncio.sleep(0.1)
        return False

    @asynccontextmanager
    async def _further_process(self, service: str, number: int) -> AsyncIterator[ManagedProcess]:
        name = f"{service}-{number}"
        process = ManagedProcess(name, self.stack.root / "logs" / f"{name}.log", signal.SIGTERM)
        self._start_further(process, name)
        try:
            yield process
        finally:
            await asyncio.to_thread(process.stop)

    def _start_further(self, process: ManagedProcess, name: str) -> None:
        service = name.partition("-")[0]
        settings = {**process_environment(service, self.stack.environment), "JIESU_HTTP_PORT": str(self.stack.ports[name])}
        process.start([sys.executable, "-P", "-m", f"services.{service}"], environment=settings, keep_log=True)


def clock_setting(clock: Clock, shift: timedelta = timedelta()) -> str:
    """The value of JIESU_CLOCK for processes of a clock, which `shift` sets ahead."""
    return f"{(clock.domain_origin + shift).isoformat()}@{clock.real_origin.isoformat()}x{clock.factor:g}"


def _peak_megabytes(pid: int) -> float:
    """The most memory that the process had resident so far; 0 where the kernel does not tell, or the process has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)
