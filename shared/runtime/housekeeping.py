"""Background work of every service: checks of the outbox, deletion past retention, figures of outbox and dead letters."""

import asyncio
import itertools
from collections.abc import Sequence
from datetime import timedelta

from shared.runtime.clock import Clock
from shared.runtime.database.database import Database, Transaction
from shared.runtime.database.measuring import MEASURE_SECONDS, Measurement
from shared.runtime.dead_letters.operations import delete_settled
from shared.runtime.outbox.backlog import check_backlog, measure_backlog
from shared.runtime.process import metrics
from shared.runtime.process.health import Health
from shared.runtime.process.waiting import sleep_to_tick
from shared.runtime.processing import inbox, redelivery

_PRUNE_SECONDS = 3600.0


def measurements(clock: Clock) -> Sequence[Measurement]:
    """The measurements of the runtime's own tables."""

    async def measure_dead_letters(tx: Transaction) -> None:
        await redelivery.update_dead_letter_gauges(tx, clock.now())

    parked = (metrics.DEAD_LETTERS, metrics.PARKED_CASES, metrics.PARKED_RECORDS, metrics.PARKED_TIMERS)
    return (
        Measurement("outbox", measure_backlog, (metrics.OUTBOX_MESSAGES, metrics.OUTBOX_AGE)),
        Measurement("dead-letters", measure_dead_letters, parked),
    )


async def run(database: Database, health: Health, stop: asyncio.Event) -> None:
    """Check the outbox every 5 seconds; every hour delete what is past its retention from inbox and dead letters."""
    rounds_between_prunes = int(_PRUNE_SECONDS / MEASURE_SECONDS)
    for number in itertools.takewhile(lambda _: not stop.is_set(), itertools.count()):
        async with database.autocommit() as tx:
            await check_backlog(tx, health)
        if number % rounds_between_prunes == 0:
            await inbox.prune(database)
            await delete_settled(database, timedelta(days=database.settings.dead_letter_retention_days))
        await sleep_to_tick(stop, MEASURE_SECONDS)
