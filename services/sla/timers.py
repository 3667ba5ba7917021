"""Loops beside the consumer: due timers, recalculation after a calendar change, periodic reports, gauges, pruning."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from services.sla import metrics
from services.sla.application.cases import UpdateCases
from services.sla.application.figures.measuring import CASE_GAUGES, MONTH_GAUGES, set_case_gauges, set_month_gauges
from services.sla.application.keeping.measuring import ERASURE_GAUGES, RETENTION_GAUGES, set_erasure_gauges, set_retention_gauges
from services.sla.application.periodic_reports import DutyRunner
from services.sla.application.reviews.measuring import GAUGES, set_review_gauges
from services.sla.config import SlaSettings
from services.sla.storage import cases as stored_cases
from services.sla.storage import deferred_inputs, idempotency
from services.sla.storage.reviews import review_queue
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database, Transaction
from shared.runtime.database.measuring import Measurement
from shared.runtime.database.retention import delete_in_steps
from shared.runtime.process.waiting import sleep_or_stop
from shared.runtime.service import Service
from shared.runtime.timers.timers import DueTimer

_RECALCULATE_SECONDS = 30.0
_PRUNE_SECONDS = 3600.0
log = structlog.get_logger(__name__)


def register(service: Service, cases: UpdateCases, duties: DutyRunner, settings: SlaSettings) -> None:
    """Add the loops to the service."""
    deferred_retention, review_retention = timedelta(days=settings.deferred_retention_days), timedelta(days=settings.review_retention_days)
    procedures, organisation = cases.rulebooks.procedures_in_use, cases.rulebooks.organisation
    metrics.initialise(procedures)
    labels = metrics.CaseLabels.of(procedures, organisation)

    async def fire_timers(tx: Transaction, timers: Sequence[DueTimer], _: datetime) -> None:
        await cases.fire_timers(tx, timers)

    async def recalculate(stop: asyncio.Event) -> None:
        while not stop.is_set():
            if not await cases.recalculate_outdated(service.database):
                await sleep_or_stop(stop, _RECALCULATE_SECONDS)

    async def measure(tx: Transaction) -> None:
        await set_case_gauges(tx, service.clock.now(), labels)

    async def measure_month(tx: Transaction) -> None:
        await set_month_gauges(tx, service.clock.now(), labels)

    async def measure_reviews(tx: Transaction) -> None:
        await set_review_gauges(tx, service.clock.now())

    async def measure_erasures(tx: Transaction) -> None:
        await set_erasure_gauges(tx, service.clock.now())

    async def measure_retention(tx: Transaction) -> None:
        await set_retention_gauges(tx, service.clock.now(), settings.case_retention_days)

    async def prune(stop: asyncio.Event) -> None:
        while not stop.is_set():
            await prune_unregistered(service.database, service.clock, deferred_retention)
            await prune_action_keys(service.database)
            await prune_reviews(service.database, service.clock, review_retention)
            await sleep_or_stop(stop, _PRUNE_SECONDS)

    service.add_timers(lock_cases=stored_cases.lock_cases, fire_timers=fire_timers)
    service.add_background_loop("recalculate", recalculate)
    service.add_measurement(Measurement("cases", measure, CASE_GAUGES))
    service.add_measurement(Measurement("month", measure_month, MONTH_GAUGES))
    service.add_measurement(Measurement("reviews", measure_reviews, GAUGES))
    service.add_measurement(Measurement("erasures", measure_erasures, ERASURE_GAUGES))
    service.add_measurement(Measurement("retention", measure_retention, RETENTION_GAUGES))
    service.add_background_loop("duties", duties.run)
    service.add_background_loop("prune", prune)


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


async def prune_reviews(database: Database, clock: Clock, retention: timedelta) -> int:
    """Delete the reviews that ended longer ago than the retention, none if it is 0; returns how many. The ledger keeps the decisions."""
    if not retention:
        return 0

    async def delete_step(tx: Transaction) -> int:
        return await review_queue.delete_ended(tx, clock.now() - retention)

    return await delete_in_steps(database, delete_step)
