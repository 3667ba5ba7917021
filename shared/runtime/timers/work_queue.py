"""Work that crosses the network, such as sending a message: leased in one transaction, done outside any, settled in another."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from shared.runtime.clock import Clock
from shared.runtime.database.database import Database, Transaction

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")

ClaimJobs = Callable[[Transaction, int, datetime, datetime], Awaitable[Sequence[JobT]]]
RunJob = Callable[[JobT], Awaitable[ResultT]]
SettleJobs = Callable[[Transaction, Sequence[tuple[JobT, ResultT]]], Awaitable[None]]


class LeasedWorkQueue(Generic[JobT, ResultT]):
    """Drives due jobs.

    `claim(tx, limit, now, until)`: select jobs whose next attempt is due and whose lease is free or over, `FOR UPDATE SKIP LOCKED`, set
    the lease to `until`, return them; instants are real time. `work(job)`: the network call; returns a result for a failure too.
    `settle(tx, done)`: record the results, ending or moving the attempts and clearing leases.
    A process that dies in between leaves leases that run out: the job is tried again under the same idempotency key.
    """

    def __init__(
        self, database: Database, clock: Clock, *, claim: ClaimJobs[JobT], work: RunJob[JobT, ResultT], settle: SettleJobs[JobT, ResultT],
        lease_duration: timedelta = timedelta(seconds=60), concurrency: int = 20, poll_seconds: float = 0.5,
    ) -> None:  # fmt: skip
        self._database = database
        self._clock = clock
        self._claim = claim
        self._work = work
        self._settle = settle
        self._lease = lease_duration
        self._concurrency = concurrency
        self._poll = poll_seconds
        self.work_added = asyncio.Event()
        """Set it after a commit that made a job due, to be quicker than the next poll."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, finishing the round under way; an outage is raised, leases run out by themselves."""
        while not stop.is_set():
            if not await self.run_once():
                await self._wait(self._poll, stop)

    async def run_once(self) -> int:
        """One round: claim, work side by side, settle; returns how many jobs."""
        async with self._database.transaction() as tx:
            present = self._clock.real_now()
            jobs = await self._claim(tx, self._concurrency, present, present + self._lease)
        if not jobs:
            return 0
        results = await asyncio.gather(*(self._work(job) for job in jobs))
        async with self._database.transaction() as tx:
            await self._settle(tx, list(zip(jobs, results, strict=True)))
        return len(jobs)

    async def _wait(self, seconds: float, stop: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(self.work_added.wait())]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self.work_added.clear()
