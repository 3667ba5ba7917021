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
from shared.runtime.process.waiting import sleep_or_stop
from shared.runtime.service import Service
from shared.runtime.timers.timers import DueTimer

DUE_WITHIN_HOURS = (1, 4, 24, 72)
_MEASURE_SECONDS = 5.0
_RECALCULATE_SECONDS = 30.0
_PRUNE_SECONDS = 3600.0
_UNREGISTERED_RETENTION = timedelta(days=90)
"""Longer than any topic retains a registration, so that the case cannot come any more."""
log = structlog.get_logger(__name__)


def register(service: Service, cases: UpdateCases, duties: DutyRunner) -> None:
    """Add the loops to the service."""

    async def fire_timers(tx: Transaction, timers: Sequence[DueTimer], _: datetime) -> None:
        await cases.fire_timers(tx, timers)

    async def recalculate(stop: asyncio.Event) -> None:
        while not stop.is_set():
            if not await cases.recalculate_outdated(service.database):
                await sleep_or_stop(stop, _RECALCULATE_SECONDS)

    async def measure(stop: asyncio.Event) -> None:
        while not stop.is_set():
            async with service.database.transaction() as tx:
                await _set_gauges(tx, service.clock)
            await sleep_or_stop(stop, _MEASURE_SECONDS)

    async def prune(stop: asyncio.Event) -> None:
        while not stop.is_set():
            await prune_unregistered(service.database, service.clock)
            await prune_action_keys(service.database)
            await sleep_or_stop(stop, _PRUNE_SECONDS)

    service.add_timers(lock_cases=stored_cases.lock_cases, fire_timers=fire_timers)
    service.add_background_loop("recalculate", recalculate)
    service.add_background_loop("measure", measure)
    service.add_background_loop("duties", duties.run)
    service.add_background_loop("prune", prune)


async def prune_unregistered(database: Database, clock: Clock) -> int:
    """Delete deferred inputs whose case has not been registered within 90 days; returns how many."""
    total = 0
    while True:
        async with database.transaction() as tx:
            case_ids = await deferred_inputs.prune_unregistered(tx, clock.now() - _UNREGISTERED_RETENTION)
        if not case_ids:
            return total
        total += len(case_ids)
        log.warning("deferred inputs deleted: their cases were never registered", inputs=len(case_ids), cases=sorted(set(case_ids))[:20])


async def prune_action_keys(database: Database) -> int:
    """Delete the Idempotency-Keys of more than 31 days ago; returns how many."""
    total = 0
    while True:
        async with database.transaction() as tx:
            deleted = await idempotency.prune_keys(tx)
        total += deleted
        if not deleted:
            return total


async def _set_gauges(tx: Transaction, clock: Clock) -> None:
    # A class and department without an open case has no row: its gauge would keep the last value.
    metrics.CASES_OPEN.clear()
    for class_, department, number in await stored_cases.count_open_cases(tx):
        metrics.CASES_OPEN.labels(class_, department).set(number)
    for hours, number in (await due_timers.count_cases_due_within(tx, clock.now(), DUE_WITHIN_HOURS)).items():
        metrics.CASES_DUE_WITHIN.labels(str(hours)).set(number)
    metrics.INPUTS_HELD.set(await deferred_inputs.count_deferred(tx))
