"""Work queues for jobs that use the network: leased in one transaction, run outside any, settled in another."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
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

SETTLE_SECONDS = 0.05
"""How long a finished job waits for others, since a transaction for each costs more than the job."""
_REFILL_SHARE = 4
"""New jobs are claimed when three quarters of the running ones have finished: a claim for each place costs a transaction too."""


class LeasedWorkQueue(Generic[JobT, ResultT]):
    """Runs due jobs.

    `claim(tx, limit, now, until)` selects jobs whose next attempt is due and which have no lease, or an expired one, with
    `FOR UPDATE SKIP LOCKED`, sets their lease to `until` and returns them; instants are by the database's clock.
    `work(job)` does the network call; its result states a failure too, and it raises nothing. `settle(tx, results)` stores the results
    and clears the leases. `name` is the queue's in metrics. When the process dies in between, the leases expire and the jobs
    run again, under the same idempotency key. Polls become less frequent up to `idle_poll_seconds` while there is no job.
    """

    def __init__(
        self, database: Database, *, claim: ClaimJobs[JobT], work: RunJob[JobT, ResultT], settle: SettleJobs[JobT, ResultT],
        name: str = "jobs", lease_duration: timedelta = timedelta(seconds=60), concurrency: int = 20, poll_seconds: float = 0.5,
        idle_poll_seconds: float = 0.5,
    ) -> None:  # fmt: skip
        self._database = database
        self._claim = claim
        self._work = work
        self._settle = settle
        self._lease_duration = lease_duration
        self._concurrency = concurrency
        self._poll_seconds = poll_seconds
        self._idle_poll_seconds = max(poll_seconds, idle_poll_seconds)
        self._running: dict[asyncio.Future[ResultT], JobT] = {}
        self._finished: dict[asyncio.Future[ResultT], JobT] = {}
        self._settle_due = asyncio.Event()
        self._places_free = asyncio.Event()
        self._refill_at = 0
        self._failures = metrics.SLOTS_FAILURES.labels(name)
        metrics.SLOTS_MAX.labels(name).set(concurrency)
        metrics.SLOTS.labels(name).set_function(self._running.__len__)
        self.work_added = asyncio.Event()
        """Set it after a commit that made a job due: the queue then does not wait for the next poll."""

    async def run(self, stop: asyncio.Event) -> None:
        """Run jobs until `stop`, and those that have been claimed to their end.

        Raises infrastructure errors; jobs that run continue, and the next call settles them or their leases expire.
        """
        poll_seconds = self._poll_seconds
        while not stop.is_set():
            try:
                claimed = await self._cycle()
            except Exception:
                self._failures.inc()
                raise
            is_idle = not claimed and not self._running
            poll_seconds = min(2 * poll_seconds, self._idle_poll_seconds) if is_idle else self._poll_seconds
            await wait_for_any(poll_seconds, stop, self.work_added, self._places_free, self._settle_due)
            self.work_added.clear()
        await self._finish_all()

    async def run_once(self) -> int:
        """Claim jobs, run them concurrently, settle each as it finishes; returns their number."""
        await self._settle_finished()
        claimed = await self._cycle()
        await self._finish_all()
        return claimed

    async def _cycle(self) -> int:
        """Settle what has finished if that is due, and claim as many as are free, in one transaction; returns how many were claimed.

        A job that takes long holds up no other: what has finished is settled, and its place is taken.
        """
        self._places_free.clear()
        is_settle_due = self._settle_due.is_set()
        finished = dict(self._finished) if is_settle_due else {}
        async with self._database.transaction() as tx:
            # Before the claim, which waits for no lock: the other order could deadlock with a transaction that waits for a claimed job.
            await self._settle_in(tx, finished)
            # The database's clock: a process whose own clock is ahead would take leases that others still hold.
            now = await tx.fetchval("SELECT now()")
            free = self._concurrency - len(self._running)
            jobs = await self._claim(tx, free, now, now + self._lease_duration) if free else ()
        self._forget(finished)
        if is_settle_due:
            self._settle_due.clear()
            if self._finished:
                self._settle_later()
        for job in jobs:
            task = asyncio.ensure_future(self._work(job))
            self._running[task] = job
            task.add_done_callback(self._on_finished)
        self._refill_at = len(self._running) // _REFILL_SHARE
        return len(jobs)

    async def _finish_all(self) -> None:
        """Settle what has finished, and the running jobs as they finish, without claiming others."""
        await self._settle_finished()
        while self._running:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            await self._settle_finished()

    async def _settle_finished(self) -> None:
        finished = dict(self._finished)
        if finished:
            async with self._database.transaction() as tx:
                await self._settle_in(tx, finished)
            self._forget(finished)

    async def _settle_in(self, tx: Transaction, finished: Mapping[asyncio.Future[ResultT], JobT]) -> None:
        if finished:
            await self._settle(tx, [(job, self._result_of(task)) for task, job in finished.items()])

    def _forget(self, settled: Iterable[asyncio.Future[ResultT]]) -> None:
        for task in settled:
            del self._finished[task]

    def _on_finished(self, task: asyncio.Future[ResultT]) -> None:
        self._finished[task] = self._running.pop(task)
        if len(self._finished) == 1:
            self._settle_later()
        if len(self._running) <= self._refill_at:
            self._places_free.set()

    def _settle_later(self) -> None:
        asyncio.get_running_loop().call_later(SETTLE_SECONDS, self._settle_due.set)

    def _result_of(self, task: asyncio.Future[ResultT]) -> ResultT:
        try:
            return task.result()
        except BaseException:  # a bug in the job: its lease expires, and the others are settled by the next cycle
            del self._finished[task]
            raise
