"""The due loop and the counting again: what happens to cases by itself."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from services.sla import metrics
from services.sla.application.cases import UpdateCases
from services.sla.storage import cases as storage
from shared.runtime.clock import Clock
from shared.runtime.database.database import Transaction
from shared.runtime.process.waiting import sleep_or_stop
from shared.runtime.service import Service
from shared.runtime.timers.timers import DueTimer

_MEASURE_PERIOD = 5.0
_RECALCULATE_SECONDS = 30.0
_WITHIN = """
SELECT count(*) FILTER (WHERE due_at <= $1::timestamptz + make_interval(hours => h)) AS n, h FROM timer, unnest($2::int[]) AS h GROUP BY h
"""
DUE_WITHIN_HOURS = (1, 4, 24, 72)


def register(service: Service, cases: UpdateCases) -> None:
    """Fire the due timers of the partitions that are read here, keep deadlines true to the calendars, measure."""

    async def lock(tx: Transaction, ids: Sequence[str]) -> Sequence[str]:
        return await storage.lock_cases(tx, ids)

    async def fire(tx: Transaction, due: Sequence[DueTimer], _: datetime) -> None:
        await cases.fire_timers(tx, due)

    async def recount(stop: asyncio.Event) -> None:
        while not stop.is_set():
            if not await cases.recalculate_outdated(service.database):
                await sleep_or_stop(stop, _RECALCULATE_SECONDS)

    async def measure(stop: asyncio.Event) -> None:
        while not stop.is_set():
            async with service.database.transaction() as tx:
                await _measure(tx, service.clock)
            await sleep_or_stop(stop, _MEASURE_PERIOD)

    service.add_timers(lock_cases=lock, fire_timers=fire)
    service.add_background_loop("recount", recount)
    service.add_background_loop("measure", measure)


async def _measure(tx: Transaction, clock: Clock) -> None:
    metrics.CASES_OPEN.clear()
    for class_, department, number in await storage.count_open_cases(tx):
        metrics.CASES_OPEN.labels(class_, department).set(number)
    for row in await tx.fetch(_WITHIN, clock.now(), list(DUE_WITHIN_HOURS)):
        metrics.CASES_DUE_WITHIN.labels(str(row["h"])).set(row["n"])
    metrics.INPUTS_HELD.set(await tx.fetchval("SELECT count(*) FROM held"))
