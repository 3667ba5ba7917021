"""Work queues for jobs that use the network: leased in one transaction, run outside any, settled in another."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from shared.runtime.database.database import Database, Transaction
from shared.runtime.process import metrics
from shared.runtime.process.waiting import wait_for_any

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")

ClaimJobs = Callable[[Transaction, int, datetime, datetime], Awaitable[Sequence[JobT]]]
RunJob = Callable[[JobT], Awaitable[ResultT]]
SettleJobs = Callable[[Transaction, Sequence[tuple[JobT, ResultT]]], Awaitable[None]]


class LeasedWorkQueue(Generic[JobT, ResultT]):
    """Runs due jobs.

    `claim(tx, limit, now, until)` selects jobs whose next attempt is due and which have no lease, or an expired one, with
    `FOR UPDATE SKIP LOCKED`, sets their lease to `until` and returns them; instants are by the database's clock.
    `work(job)` does the network call; its result states a failure too, and it raises nothing. `settle(tx, results)` stores the results
    and clears the leases. `name` is the queue's in metrics. When the process dies in between, the leases expire and the jobs
    run again, under the same idempotency key.
    """

    def __init__(
        self, database: Database, *, claim: ClaimJobs[JobT], work: RunJob[JobT, ResultT], settle: SettleJobs[JobT, ResultT],
        name: str = "jobs", lease_duration: timedelta = timedelta(seconds=60), concurrency: int = 20, poll_seconds: float = 0.5,
    ) -> None:  # fmt: skip
        self._database = database
        self._claim = claim
        self._work = work
        self._settle = settle
        self._lease_duration = lease_duration
        self._concurrency = concurrency
        self._poll_seconds = poll_seconds
        self._running: dict[asyncio.Future[ResultT], JobT] = {}
        self._job_finished = asyncio.Event()
        self._failures = metrics.SLOTS_FAILURES.labels(name)
        metrics.SLOTS_MAX.labels(name).set(concurrency)
        metrics.SLOTS.labels(name).set_function(self._running.__len__)
        self.work_added = asyncio.Event()
        """Set it after a commit that made a job due: the queue then does not wait for the next poll."""

    async def run(self, stop: asyncio.Event) -> None:
        """Run jobs until `stop`, and those that have been claimed to their end.

        Raises infrastructure errors; jobs that run go on, and the next call settles them or their leases expire.
        """
        while not stop.is_set():
            try:
                await self._cycle()
            except Exception:
                self._failures.inc()
                raise
            await wait_for_any(self._poll_seconds, stop, self.work_added, self._job_finished)
            self.work_added.clear()
        await self._finish_all()

    async def run_once(self) -> int:
        """Claim jobs, run them concurrently, settle each as it finishes; returns their number."""
        claimed = await self._cycle()
        await self._finish_all()
        return claimed

    async def _cycle(self) -> int:
        """Settle the jobs that have finished and claim as many as are free, in one transaction; returns how many were claimed.

        A job that takes long holds up no other: what has finished is settled, and its place is taken.
        """
        self._job_finished.clear()
        finished = [task for task in self._running if task.done()]
        async with self._database.transaction() as tx:
            if finished:
                await self._settle(tx, [(self._running[task], self._result_of(task)) for task in finished])
            # The database's clock: a process whose own clock is ahead would take leases that others still hold.
            now = await tx.fetchval("SELECT now()")
            free = self._concurrency - len(self._running) + len(finished)
            jobs = await self._claim(tx, free, now, now + self._lease_duration) if free else ()
        for task in finished:
            del self._running[task]
        for job in jobs:
            task = asyncio.ensure_future(self._work(job))
            task.add_done_callback(lambda _: self._job_finished.set())
            self._running[task] = job
        return len(jobs)

    async def _finish_all(self) -> None:
        """Settle the running jobs as they finish, without claiming others."""
        while self._running:
            finished, _ = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            async with self._database.transaction() as tx:
                await self._settle(tx, [(self._running[task], self._result_of(task)) for task in finished])
            for task in finished:
                del self._running[task]

    def _result_of(self, task: asyncio.Future[ResultT]) -> ResultT:
        try:
            return task.result()
        except BaseException:  # a bug in the job: its lease expires, and the others are settled by the next cycle
            del self._running[task]
            raise
