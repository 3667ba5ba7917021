"""Work queues for jobs that use the network: leased in one transaction, run outside any, settled in another."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from shared.runtime.clock import Clock
from shared.runtime.database.database import Database, Transaction
from shared.runtime.process.waiting import wait_for_any

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")

ClaimJobs = Callable[[Transaction, int, datetime, datetime], Awaitable[Sequence[JobT]]]
RunJob = Callable[[JobT], Awaitable[ResultT]]
SettleJobs = Callable[[Transaction, Sequence[tuple[JobT, ResultT]]], Awaitable[None]]


class LeasedWorkQueue(Generic[JobT, ResultT]):
    """Runs due jobs.

    `claim(tx, limit, now, until)` selects jobs whose next attempt is due and which have no lease, or an expired one, with
    `FOR UPDATE SKIP LOCKED`, sets their lease to `until` and returns them; instants are in real time.
    `work(job)` does the network call; its result states a failure too. `settle(tx, results)` stores the results and clears the leases.
    When the process dies in between, the leases expire and the jobs run again, under the same idempotency key.
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
        self._lease_duration = lease_duration
        self._concurrency = concurrency
        self._poll_seconds = poll_seconds
        self.work_added = asyncio.Event()
        """Set it after a commit that made a job due: the queue then does not wait for the next poll."""

    async def run(self, stop: asyncio.Event) -> None:
        """Run jobs until `stop`, and those that have been claimed to their end; raises infrastructure errors, then leases expire."""
        while not stop.is_set():
            if not await self.run_once():
                await wait_for_any(self._poll_seconds, stop, self.work_added)
                self.work_added.clear()

    async def run_once(self) -> int:
        """Claim jobs, run them concurrently, settle them; returns their number."""
        async with self._database.transaction() as tx:
            now = self._clock.real_now()
            jobs = await self._claim(tx, self._concurrency, now, now + self._lease_duration)
        if not jobs:
            return 0
        # Outside a transaction: an open one holds locks and a connection while the network is slow.
        results = await asyncio.gather(*(self._work(job) for job in jobs))
        async with self._database.transaction() as tx:
            await self._settle(tx, list(zip(jobs, results, strict=True)))
        return len(jobs)
