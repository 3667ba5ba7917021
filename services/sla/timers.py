"""The due loop and the counting again: what happens to cases by itself."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from services.sla import metrics
from services.sla.application.cases import Cases
from services.sla.storage import cases as storage
from shared.runtime.clock import Clock
from shared.runtime.database.database import Transaction
from shared.runtime.process.supervision import pause
from shared.runtime.service import Service
from shared.runtime.timers.timers import Due

_MEASURE_PERIOD = 5.0
_RECOUNT_PERIOD = 30.0
_WITHIN = """
SELECT count(*) FILTER (WHERE due_at <= $1::timestamptz + make_interval(hours => h)) AS n, h FROM timer, unnest($2::int[]) AS h GROUP BY h
"""
HOURS = (1, 4, 24, 72)


def register(service: Service, cases: Cases) -> None:
    """Fire the due timers of the partitions that are read here, keep deadlines true to the calendars, measure."""

    async def lock(tx: Transaction, ids: Sequence[str]) -> Sequence[str]:
        return await storage.lock(tx, ids)

    async def fire(tx: Transaction, due: Sequence[Due], _: datetime) -> None:
        await cases.fire(tx, due)

    async def recount(stop: asyncio.Event) -> None:
        while not stop.is_set():
            if not await cases.recount(service.database):
                await pause(stop, _RECOUNT_PERIOD)

    async def measure(stop: asyncio.Event) -> None:
        while not stop.is_set():
            async with service.database.transaction() as tx:
                await _measure(tx, service.clock)
            await pause(stop, _MEASURE_PERIOD)

    service.timers(lock=lock, fire=fire)
    service.background("recount", recount)
    service.background("measure", measure)


async def _measure(tx: Transaction, clock: Clock) -> None:
    metrics.OPEN.clear()
    for class_, department, number in await storage.open_cases(tx):
        metrics.OPEN.labels(class_, department).set(number)
    for row in await tx.fetch(_WITHIN, clock.now(), list(HOURS)):
        metrics.DUE.labels(str(row["h"])).set(row["n"])
    metrics.HELD.set(await tx.fetchval("SELECT count(*) FROM held"))
