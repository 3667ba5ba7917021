"""A service's input from start to stop: broker, subscriber, batch processor, watermark, replay."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta

import structlog
from aiokafka.errors import KafkaError
from faststream.kafka.subscriber.usecase import BatchSubscriber

from shared.contracts.topics import PARTITIONS, Topic
from shared.runtime.clock import Clock, backoff
from shared.runtime.database.database import Database
from shared.runtime.kafka.connection import diagnose
from shared.runtime.kafka.offsets import BrokerEnds, ConsumerPositions
from shared.runtime.kafka.record import Decode, Reader, Received
from shared.runtime.kafka.watermark import Watermark
from shared.runtime.process import metrics
from shared.runtime.process.health import Health
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.process.supervision import pause
from shared.runtime.processing.batch import BatchProcessor, Handler
from shared.runtime.processing.breaker import Breaker
from shared.runtime.processing.redelivery import Replay
from shared.runtime.subscription.consumer import Progress, WatchedBroker, partition_count, subscribe

_LAG_PERIOD = 5.0
log = structlog.get_logger(__name__)


class Subscription:
    """One group reading several topics together."""

    def __init__(self, database: Database, clock: Clock, health: Health, settings: RuntimeSettings) -> None:
        self.watermark: Watermark
        self.replay: Replay
        self._database = database
        self._clock = clock
        self._health = health
        self._settings = settings
        self._broker: WatchedBroker | None = None
        self._subscriber: BatchSubscriber | None = None
        self._ends: BrokerEnds | None = None

    def declare(
        self,
        topics: Sequence[Topic],
        group: str,
        handler: Handler,
        *,
        decode: Decode,
        verify: Callable[[Received], None] | None,
        concerns: Mapping[str, frozenset[str]] | None = None,
        repeated: Collection[tuple[str, str]] = (),
    ) -> None:
        """Say what is read and who handles it; nothing is connected yet."""
        settings = self._settings
        names = [topic.name for topic in topics]
        self.watermark = Watermark(self._clock, names, timedelta(milliseconds=settings.clock_tolerance_ms))
        progress = Progress(self.watermark, self._health, settings.topic_prefix, settings.batch_size)
        reader = Reader(decode, self._clock, verify, concerns, repeated)
        self.processor = BatchProcessor(
            self._database,
            reader,
            handler,
            breaker=Breaker(settings.breaker_run, settings.breaker_share),
            health=self._health,
            patience=settings.max_poll_interval_ms / 2000,
        )
        self._broker = WatchedBroker(settings, progress)
        self._subscriber = subscribe(self._broker, names, group, processor=self.processor, progress=progress, settings=settings)
        self.replay = Replay(self._database, reader, handler, self._partitions)
        self._health.set("consumer", "has not joined its group yet")

    @property
    def subscriber(self) -> BatchSubscriber | None:
        """FastStream's subscriber."""
        return self._subscriber

    async def start(self, stop: asyncio.Event) -> None:
        """Join the group, waiting for a broker that is not there yet; the log says why it waits."""
        if self._broker is None or self._subscriber is None:
            return
        for attempt in range(1_000_000):
            trouble = await diagnose(self._settings)
            if trouble is None:
                try:
                    await self._broker.start()
                except KafkaError as error:
                    trouble = f"the broker answers, but joining failed: {type(error).__name__}"
                    await self._broker.stop()
                else:
                    break
            self._health.set("consumer", trouble)
            log.error("waiting for the broker", reason=trouble)
            await pause(stop, backoff(attempt, first=0.2, longest=3.0))
            if stop.is_set():
                return
        self._health.watch("poll", self._settings.max_poll_interval_ms / 1000)
        self._ends = BrokerEnds(self._settings)
        self.watermark.attach(self._ends, ConsumerPositions(self._subscriber, self._settings.topic_prefix))

    async def stop(self, seconds: float) -> bool:
        """Finish the batch, commit, leave the group; False when the broker's client hung longer than `seconds`."""
        self._health.forget("poll")
        if self._ends is not None:
            await self._ends.close()
        if self._broker is None:
            return True
        self.processor.stopping.set()
        try:
            async with asyncio.timeout(seconds):
                await self._broker.stop()
        except TimeoutError:
            return False
        return True

    async def measure(self, stop: asyncio.Event) -> None:
        """Keep the lag gauges current; a broker that does not answer leaves them as they are and makes the process unready."""
        while not stop.is_set():
            if await self.watermark.refresh(self.watermark.held()):
                self._health.clear("broker")
            else:
                self._health.set("broker", "the broker does not answer; nothing is lost, deadlines wait")
            for topic, lag in self.watermark.lags.items():
                metrics.CONSUMER_LAG.labels(topic).set(lag)
            await pause(stop, _LAG_PERIOD)

    def _partitions(self, topic: str) -> int:
        consumer = None if self._subscriber is None else self._subscriber.consumer
        return PARTITIONS if consumer is None else partition_count(consumer, f"{self._settings.topic_prefix}{topic}")
