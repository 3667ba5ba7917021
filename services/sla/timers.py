"""Loops beside the consumer: due timers, recalculation after a calendar change, periodic reports, gauges, pruning."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from services.sla import metrics
from services.sla.application.cases import UpdateCases
from services.sla.application.periodic_reports import DutyRunner
from services.sla.storage import cases as stored_cases
from services.sla.storage import deferred_inputs, due_timers, idempotency
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database, Transaction
from shared.runtime.database.election import Election
from shared.runtime.database.retention import delete_in_steps
from shared.runtime.process.waiting import sleep_or_stop
from shared.runtime.service import Service
from shared.runtime.timers.timers import DueTimer

DUE_WITHIN_HOURS = (1, 4, 24, 72)
_MEASURE_SECONDS = 15.0  # as often as Prometheus reads the figures
_RECALCULATE_SECONDS = 30.0
_PRUNE_SECONDS = 3600.0
_LEASE = timedelta(seconds=3 * _MEASURE_SECONDS)
log = structlog.get_logger(__name__)


def register(service: Service, cases: UpdateCases, duties: DutyRunner, deferred_retention: timedelta) -> None:
    """Add the loops to the service."""

    async def fire_timers(tx: Transaction, timers: Sequence[DueTimer], _: datetime) -> None:
        await cases.fire_timers(tx, timers)

    async def recalculate(stop: asyncio.Event) -> None:
        while not stop.is_set():
            if not await cases.recalculate_outdated(service.database):
                await sleep_or_stop(stop, _RECALCULATE_SECONDS)

    async def prune(stop: asyncio.Event) -> None:
        while not stop.is_set():
            await prune_unregistered(service.database, service.clock, deferred_retention)
            await prune_action_keys(service.database)
            await sleep_or_stop(stop, _PRUNE_SECONDS)

    service.add_timers(lock_cases=stored_cases.lock_cases, fire_timers=fire_timers)
    service.add_background_loop("recalculate", recalculate)
    service.add_background_loop("measure", CaseGauges(service.database, service.clock).run)
    service.add_background_loop("duties", duties.run)
    service.add_background_loop("prune", prune)


class CaseGauges:
    """Counts cases and deferred inputs in one elected process: what all processes share is exported once, and counted once."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._election = Election("sla gauges", _LEASE)

    async def run(self, stop: asyncio.Event) -> None:
        """Measure until `stop`; then let another process count at once."""
        while not stop.is_set():
            await self.measure()
            await sleep_or_stop(stop, _MEASURE_SECONDS)
        async with self._database.transaction() as tx:
            await self._election.resign(tx)

    async def measure(self) -> bool:
        """Set the gauges if this process is elected, else withdraw them; returns whether it is."""
        measured = False
        try:
            async with self._database.transaction() as tx:
                if await self._election.is_elected(tx):
                    await _set_gauges(tx, self._clock)
                    measured = True
        finally:
            # After an error too: another process may be elected by now, and both figures would be added up.
            if not measured:
                metrics.clear_case_gauges()
        return measured


async def prune_unregistered(database: Database, clock: Clock, retention: timedelta) -> int:
    """Delete deferred inputs whose case has not been registered within the retention; returns how many."""

    async def delete_step(tx: Transaction) -> int:
        case_ids = await deferred_inputs.prune_unregistered(tx, clock.now() - retention)
        if case_ids:
            cases = sorted(set(case_ids))[:20]
            log.warning("deferred inputs deleted: their cases were never registered", inputs=len(case_ids), cases=cases)
        return len(case_ids)

    return await delete_in_steps(database, delete_step)


async def prune_action_keys(database: Database) -> int:
    """Delete the Idempotency-Keys of more than 31 days ago; returns how many."""
    return await delete_in_steps(database, idempotency.prune_keys)


async def _set_gauges(tx: Transaction, clock: Clock) -> None:
    # A class and department without an open case has no row: its gauge would keep the last value.
    metrics.CASES_OPEN.clear()
    for class_, department, number in await stored_cases.count_open_cases(tx):
        metrics.CASES_OPEN.labels(class_, department).set(number)
    for hours, number in (await due_timers.count_cases_due_within(tx, clock.now(), DUE_WITHIN_HOURS)).items():
        metrics.CASES_DUE_WITHIN.labels(str(hours)).set(number)
    metrics.INPUTS_HELD.set(await deferred_inputs.count_deferred(tx))
