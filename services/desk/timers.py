"""Loops beside the consumer: progress of reading, and the feed of open pages."""

import asyncio

from services.desk import metrics
from services.desk.application.live_feed import LiveFeed
from services.desk.application.service_client import ServiceClient
from services.desk.storage.reading_progress import ReadingProgress
from shared.runtime.process.waiting import sleep_or_stop
from shared.runtime.service import Service

_PROGRESS_SECONDS = 1.0
_POLL_SECONDS = 0.3
"""An event is shown within a second: half of this on average, beside the batch and the query."""


def register(service: Service, progress: ReadingProgress, feed: LiveFeed, client: ServiceClient) -> None:
    """Add the loops."""

    async def note_progress(stop: asyncio.Event) -> None:
        while not stop.is_set():
            # The measured lag is that of the last comparison with the broker: compare again, since a page shows it.
            if await service.watermark.refresh(service.watermark.owned_partitions()):
                async with service.database.transaction() as tx:
                    await progress.note(tx, service.watermark.lag_seconds, len(service.watermark.owned_partitions()))
            await sleep_or_stop(stop, _PROGRESS_SECONDS)

    async def follow(stop: asyncio.Event) -> None:
        while not stop.is_set():
            await feed.poll()
            if feed.age_seconds is None:
                metrics.READ_MODEL_AGE.expire()
            else:
                metrics.READ_MODEL_AGE.set(feed.age_seconds)
            await sleep_or_stop(stop, _POLL_SECONDS)
        # Only at the stop: after a failure the supervisor starts this loop again, and the pages go on.
        feed.close()

    service.add_cleanup(client.close)
    service.add_background_loop("reading-progress", note_progress)
    service.add_background_loop("live-feed", follow)
