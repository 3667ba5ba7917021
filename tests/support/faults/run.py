"""Lets the system work under a plan of faults, and returns what was accepted and what the faults did."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from time import monotonic

from cli.demo.shutdown import shut_down_in_order
from tests.support.faults.anomalies import Anomalies, find_anomalies
from tests.support.faults.hostile import HostileLoad
from tests.support.faults.plan import PlannedFault
from tests.support.faults.postgres_faults import DATABASE_ERRORS
from tests.support.faults.system import FaultySystem
from tests.support.messaging.idle import pending_rows, unread_records
from tests.support.messaging.workload import HANDLING_STEPS, WorkloadClient, workload_client
from tests.support.waiting import wait_for

SENDERS = 3
PATIENCE_SECONDS = 300.0
"""For the backlog that the faults left: a killed member leaves its group after six seconds, and starting again is work."""
_FEW = 100


@dataclass(frozen=True, slots=True)
class FaultRun:
    """Ids of accepted cases, actions by case, faults by kind, anomalies; `restarts` are of processes that ended by themselves."""

    accepted: Collection[str]
    actions: Counter[str]
    faults: Counter[str]
    restarts: Counter[str]
    hostile: HostileLoad
    seconds: float
    anomalies: Anomalies

    def __str__(self) -> str:
        faults = ", ".join(f"{kind} {number}" for kind, number in sorted(self.faults.items()))
        return (
            f"{len(self.accepted)} complaints, {self.actions.total()} actions, {self.faults.total()} faults in {self.seconds:.0f} s "
            f"({faults}); started again: {dict(self.restarts)}; anomalies: {self.anomalies.numbers}; sent again by the relay, and dropped: "
            f"{self.anomalies.repeated}; hostile records: {self.hostile.records.total()}, dead letters of them: "
            f"{dict(self.anomalies.refused)}; answers to hostile requests: {dict(sorted(self.hostile.answers.items()))}, "
            f"without an answer: {dict(self.hostile.unanswered)}; "
            f"{self.anomalies.details}"
        )


async def run_under_faults(
    system: FaultySystem, plan: Sequence[PlannedFault], say: Callable[[str], None], pause: float = 0.0, seed: int = 1
) -> FaultRun:
    """Send complaints and actions, and hostile records and requests by `seed`, while the faults of the plan come.

    `pause` is in seconds between two complaints of a sender.
    """
    began, faults = monotonic(), Counter[str]()
    async with workload_client(system.stack, now=system.clock.now) as client:
        supervision = asyncio.create_task(system.processes.supervise())
        over, hostile = asyncio.Event(), HostileLoad(client, seed)
        async with asyncio.TaskGroup() as group:
            for first in range(SENDERS):
                group.create_task(_work(client, first, over, pause))
            group.create_task(hostile.send(over))
            async with asyncio.TaskGroup() as injections:
                for fault in plan:
                    await asyncio.sleep(max(0.0, began + fault.at - monotonic()))
                    say(str(fault))
                    injections.create_task(system.inject(fault))
                    faults[fault.kind] += 1
            over.set()
        await wait_for(lambda: _caught_up(system), deadline=PATIENCE_SECONDS, what="few records unread, few rows pending", pause=0.5)
        supervision.cancel()
    await shut_down_in_order(system.stack, "", client.accepted, PATIENCE_SECONDS)
    await wait_for(lambda: _desk_has_read(system), deadline=PATIENCE_SECONDS, what="the desk has read every event")
    anomalies = await find_anomalies(
        system.database_url, system.bootstrap_servers, client.accepted, client.actions, system.stack.root / "sinks"
    )
    return FaultRun(client.accepted, client.actions, faults, system.processes.restarts, hostile, monotonic() - began, anomalies)


async def _work(client: WorkloadClient, first: int, over: asyncio.Event, pause: float) -> None:
    """Complaints one after the other, some by HTTP, each followed by none to all of the actions; the first ones wait for their case."""
    number = first
    while not over.is_set():
        case = await (client.submit_by_http if number % 5 == 0 else client.submit_by_kafka)(number)
        for step in range(number % (len(HANDLING_STEPS) + 1)):
            await client.send_step(case, step, http=number % 11 == 0)
        number += SENDERS
        await asyncio.sleep(pause)


async def _caught_up(system: FaultySystem) -> bool:
    try:
        unread = await unread_records(system.bootstrap_servers, "")
        pending = await pending_rows(system.database_url)
    except DATABASE_ERRORS:
        return False
    return sum(unread.values()) < _FEW and sum(pending.values()) < _FEW


async def _desk_has_read(system: FaultySystem) -> bool:
    return (await unread_records(system.bootstrap_servers, "", ["desk"]))["desk"] == 0
