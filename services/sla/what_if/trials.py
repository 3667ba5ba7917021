"""Starts, shows and cancels a person's trials."""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

import structlog

from services.sla.application.queries import CaseQueries
from services.sla.storage.trials import what_if_runs
from services.sla.storage.trials.what_if_runs import WhatIfRun
from services.sla.what_if.orders import TrialOrder, require_right
from services.sla.what_if.running import TrialRunner
from shared.procedures.access import Actor
from shared.runtime.clock import uuid7

log = structlog.get_logger(__name__)
_SECONDS_BETWEEN_LOOKS: Final = 0.1


class TrialRunningError(Exception):
    """Another trial of the person's is running."""


class TrialNotFoundError(Exception):
    """The person has no such trial, or no longer."""


class Trials:
    """Each person has one trial at a time, in whichever process."""

    def __init__(self, queries: CaseQueries, runner: TrialRunner) -> None:
        self._database = queries.database
        self._runner = runner
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, order: TrialOrder) -> WhatIfRun:
        """Begin a trial; raises `TrialRunningError`."""
        run_id = UUID(uuid7())
        asked = {
            "version": order.pack.procedure.version,
            "received_from": order.period.received_from.isoformat(),
            "received_before": order.period.received_before.isoformat(),
            "numbers": {number.key: value for number, value in order.changed.changes},
        }
        async with self._database.transaction() as tx:
            if not await what_if_runs.start(tx, run_id, order.actor.id, order.pack.procedure.id, asked):
                raise TrialRunningError
        task = asyncio.create_task(self._runner.run(run_id, order), name=f"what-if {run_id}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return WhatIfRun(run_id, order.pack.procedure.id, what_if_runs.RUNNING, asked, 0, 0, None)

    async def read(self, run_id: UUID, actor: Actor, wait_seconds: float = 0.0) -> WhatIfRun:
        """A trial of the actor's, once it has ended or the wait is over; raises `TrialNotFoundError`."""
        require_right(actor)
        until = asyncio.get_running_loop().time() + wait_seconds
        while True:
            async with self._database.transaction() as tx:
                run = await what_if_runs.load(tx, run_id, actor.id)
            if run is None:
                raise TrialNotFoundError
            if run.state != what_if_runs.RUNNING or asyncio.get_running_loop().time() >= until:
                return run
            # Any process may run the trial, so that only its row tells when it has ended.
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)

    async def cancel(self, run_id: UUID, actor: Actor) -> WhatIfRun:
        """End a trial of the actor's; one that has ended stays as it is. Raises `TrialNotFoundError`."""
        require_right(actor)
        async with self._database.transaction() as tx:
            await what_if_runs.cancel(tx, run_id, actor.id)
        return await self.read(run_id, actor)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a trial failed", exc_info=error)
