"""The loop beside the consumer that takes counts again, and the gauge of those that wait."""

import asyncio

import structlog

from services.triage import metrics
from services.triage.application.triage import TriageComplaints
from services.triage.storage import recounts
from shared.runtime.database.database import Database, Transaction
from shared.runtime.database.looks import IDLE_POLL_SECONDS
from shared.runtime.database.measuring import Measurement
from shared.runtime.errors import Rejected
from shared.runtime.process.waiting import sleep_or_stop, wait_for_any
from shared.runtime.service import Service

_RECOUNT_SECONDS = 2.0
log = structlog.get_logger(__name__)


def register(service: Service, triage: TriageComplaints, procedures: list[str]) -> None:
    """Add the loop and the measurement to the service."""
    counts_wait = asyncio.Event()

    async def recount(stop: asyncio.Event) -> None:
        while not stop.is_set():
            await recount_people(service.processing_database, triage, stop)
            # Not at once again: what cannot be counted stays, and is logged each time.
            await sleep_or_stop(stop, _RECOUNT_SECONDS)
            await wait_for_any(IDLE_POLL_SECONDS, stop, counts_wait)
            counts_wait.clear()

    async def measure(tx: Transaction) -> None:
        waiting = dict.fromkeys(procedures, 0) | dict(await recounts.count_waiting(tx))
        metrics.RECOUNTS.replace({(procedure,): float(number) for procedure, number in waiting.items()})

    service.looks.wake(counts_wait, recounts.HAS_WAITING)
    service.add_background_loop("recount", recount)
    service.add_measurement(Measurement("recounts", measure, (metrics.RECOUNTS,)))


async def recount_people(database: Database, triage: TriageComplaints, stop: asyncio.Event) -> None:
    """Take counts again until none waits, in any process: a procedure's next batch may come tomorrow, or never."""
    failed: set[str] = set()
    while not stop.is_set():
        async with database.autocommit() as tx:
            behind = [procedure for procedure in await recounts.find_procedures_behind(tx) if procedure not in failed]
        if not behind:
            break
        for procedure in behind:
            try:
                async with database.transaction() as tx:
                    await triage.recount(tx, procedure)
            except Rejected as error:
                # A procedure that is no longer installed keeps its tasks, and holds up no other one's.
                failed.add(procedure)
                log.warning("counts are not taken again", procedure=procedure, reason=str(error))
    async with database.autocommit() as tx:
        await recounts.prune_changes(tx)
