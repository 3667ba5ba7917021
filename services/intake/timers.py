"""The loop beside intake's consumer: deletes refusals and raw copies that are past their retention."""

import asyncio
from datetime import timedelta

from services.intake.storage import raw_copies, refusals
from shared.runtime.process.waiting import sleep_or_stop
from shared.runtime.service import Service

_DELETE_SECONDS = 3600.0


def register(service: Service, refusal_retention: timedelta, raw_retention: timedelta) -> None:
    """Add the loop to the service."""

    async def delete_old(stop: asyncio.Event) -> None:
        while not stop.is_set():
            await refusals.delete_old(service.database, refusal_retention)
            await raw_copies.delete_old(service.database, raw_retention)
            await sleep_or_stop(stop, _DELETE_SECONDS)

    service.add_background_loop("retention", delete_old)
