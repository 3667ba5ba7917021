"""Lets the system work under a plan of faults, and returns what was accepted and what the faults did."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from cli.demo.shutdown import shut_down_in_order
from tests.support.faults.anomalies import Anomalies, find_anomalies
from tests.support.faults.hostile import HostileLoad
from tests.support.faults.plan import PlannedFault
from tests.support.faults.postgres_faults import DATABASE_ERRORS
from tests.support.faults.process_faults import CLOCK_SHIFT
from tests.support.faults.system import FaultySystem
from tests.support.messaging.idle import pending_rows, unread_records
from tests.support.messaging.workload import HANDLING_STEPS, WorkloadClient, workload_client
from tests.support.waiting import wait_for

MOST_AT_ONCE = 8
"""Faults under way. On a slow machine the plan waits, so that services are not killed faster than they can start."""
MOST_MEGABYTES = 400
"""Resident, of a process of a service."""
_FEW = 100


@dataclass(frozen=True, slots=True)
class FaultRun:
    """Ids of accepted cases, actions by case, faults by kind, anomalies; `restarts` are of processes that ended by themselves.

    `megabytes` is the most resident memory of each service.
    """

    accepted: Collection[str]
    actions: Counter[str]
    faults: Counter[str]
    missed: Counter[str]
    restarts: Counter[str]
    megabytes: Mapping[str, float]
    hostile: HostileLoad
    seconds: float
    anomalies: Anomalies

    def __str__(self) -> str:
        megabytes = {name: round(size) for name, size in self.megabytes.items()}
        faults = ", ".join(f"{kind} {number}" for kind, number in sorted(self.faults.items()))
        parts = (
            f"{len(self.accepted)} complaints, {self.actions.total()} actions, {self.faults.total()} faults",
            f"{self.seconds:.0f} s: {faults}",
            f"not injected: {dict(self.missed)}",
            f"started again: {dict(self.restarts)}",
            f"resident MB at most: {megabytes}",
            f"anomalies: {self.anomalies.numbers}",
            f"sent again by the relay, and dropped: {self.anomalies.repeated}",
            f"hostile records: {self.hostile.records.total()}, dead letters of them: {dict(self.anomalies.refused)}",
            f"answers to hostile requests: {dict(sorted(self.hostile.answers.items()))}, none: {dict(self.hostile.unanswered)}",
            *self.anomalies.details,
        )
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class RunLimits:
    """How many senders there are, seconds between two complaints of one, and how long faults may come.

    `patience` is for what one sender sends, and for the backlog at the end: a killed member leaves its group after six seconds, and
    starting again is work. `seed` is that of the hostile records and requests.
    """

    senders: int = 6
    pause: float = 0.0
    seconds: float = math.inf
    patience: float = 300.0
    seed: int = 1


async def run_under_faults(
    system: FaultySystem, plan: Sequence[PlannedFault], say: Callable[[str], None], limits: RunLimits = RunLimits()
) -> FaultRun:
    """Send complaints and actions, and hostile records and requests, while the faults of the plan come."""
    began = monotonic()
    # Received before a shifted clock of intake's: it rightly refuses what lies more than five minutes in its future.
    async with workload_client(system.stack, now=lambda: system.clock.now() - CLOCK_SHIFT) as client:
        supervision = asyncio.create_task(system.processes.supervise())
        client.timeout = limits.patience
        over, hostile = asyncio.Event(), HostileLoad(client, limits.seed)
        async with asyncio.TaskGroup() as group:
            for first in range(limits.senders):
                group.create_task(_work(client, first, over, limits))
            group.create_task(hostile.send(over))
            faults = await _inject_all(system, plan, say, limits.seconds)
            say(f"{monotonic() - began:7.1f} s  all faults over")
            over.set()
        await wait_for(lambda: _caught_up(system), deadline=limits.patience, what="few records unread, few rows pending", pause=0.5)
        supervision.cancel()
    say(f"{monotonic() - began:7.1f} s  backlog done")
    await shut_down_in_order(system.stack, "", client.accepted, limits.patience)
    await wait_for(lambda: _desk_has_read(system), deadline=limits.patience, what="the desk has read every event")
    say(f"{monotonic() - began:7.1f} s  stopped, each topic read to its end")
    anomalies = await find_anomalies(
        system.database_url, system.bootstrap_servers, client.accepted, client.actions, system.stack.root / "sinks"
    )
    return FaultRun(
        client.accepted,
        client.actions,
        faults,
        system.missed,
        system.processes.restarts,
        system.processes.megabytes,
        hostile,
        monotonic() - began,
        anomalies,
    )


async def _inject_all(system: FaultySystem, plan: Sequence[PlannedFault], say: Callable[[str], None], seconds: float) -> Counter[str]:
    """Carry out the plan, as far as it comes within `seconds`; returns how many faults there were by kind."""
    began, faults, free = monotonic(), Counter[str](), asyncio.Semaphore(MOST_AT_ONCE)

    async def inject(fault: PlannedFault) -> None:
        try:
            await system.inject(fault)
        finally:
            free.release()

    async with asyncio.TaskGroup() as injections:
        for fault in plan:
            await asyncio.sleep(max(0.0, began + fault.at - monotonic()))
            await free.acquire()
            if monotonic() > began + seconds:
                return faults
            say(f"{monotonic() - began:7.1f} s  {fault}")
            injections.create_task(inject(fault))
            faults[fault.kind] += 1
    return faults


async def _work(client: WorkloadClient, first: int, over: asyncio.Event, limits: RunLimits) -> None:
    """Complaints one after the other, some by HTTP, each followed by none to all of the actions; the first ones wait for their case."""
    number = first
    while not over.is_set():
        case = await (client.submit_by_http if number % 5 == 0 else client.submit_by_kafka)(number)
        for step in range(number % (len(HANDLING_STEPS) + 1)):
            await client.send_step(case, step, http=number % 11 == 0)
        number += limits.senders
        await asyncio.sleep(limits.pause)


async def _caught_up(system: FaultySystem) -> bool:
    try:
        unread = await unread_records(system.bootstrap_servers, "")
        pending = await pending_rows(system.database_url)
    except DATABASE_ERRORS:
        return False
    return sum(unread.values()) < _FEW and sum(pending.values()) < _FEW


async def _desk_has_read(system: FaultySystem) -> bool:
    return (await unread_records(system.bootstrap_servers, "", ["desk"]))["desk"] == 0
