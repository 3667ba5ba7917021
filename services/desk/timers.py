"""Loops beside the consumer: progress of reading, and the feed of open pages."""

import asyncio

from services.desk.application.live_feed import LiveFeed
from services.desk.application.service_client import ServiceClient
from services.desk.storage.reading_progress import STATE, ReadingProgress
from shared.runtime.process.waiting import sleep_to_tick
from shared.runtime.service import Service

_PROGRESS_SECONDS = 1.0
_LOOK_SECONDS = 0.25
"""An event is shown within a second: half of this on average, beside the batch and the query."""


def register(service: Service, progress: ReadingProgress, feed: LiveFeed, client: ServiceClient) -> None:
    """Add the loops."""

    async def note_progress(stop: asyncio.Event) -> None:
        while not stop.is_set():
            # The measured lag is that of the last comparison with the broker: compare again, since a page shows it.
            if await service.watermark.refresh(service.watermark.owned_partitions()):
                async with service.database.autocommit() as tx:
                    await progress.note(tx, service.watermark.lag_seconds, len(service.watermark.owned_partitions()))
            await sleep_to_tick(stop, _PROGRESS_SECONDS)

    async def close_feed(stop: asyncio.Event) -> None:
        # Before the HTTP server, which waits for the streams of open pages.
        await stop.wait()
        feed.close()

    service.add_cleanup(client.close)
    service.add_background_loop("reading-progress", note_progress)
    service.looks.add(feed.update, STATE)
    service.looks.period = _LOOK_SECONDS
    service.add_background_loop("live-feed", close_feed)
