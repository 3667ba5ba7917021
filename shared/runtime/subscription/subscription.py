"""The input of a service: broker, subscriber, batch processor, watermark and redelivery, from start to stop."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

import structlog
from aiokafka.errors import KafkaError
from faststream.kafka.subscriber.usecase import BatchSubscriber

from shared.contracts.topics import Topic
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from shared.runtime.dead_letters.breaker import Breaker
from shared.runtime.kafka.connection import FORBIDDEN, diagnose_connection, missing_rule
from shared.runtime.kafka.offsets import ConsumerPositionReader, EndOffsetClient
from shared.runtime.kafka.record_decoder import EventDecoder, RecordDecoder, RecordVerifier
from shared.runtime.kafka.watermark import Watermark
from shared.runtime.process import metrics
from shared.runtime.process.health import Health
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.process.waiting import Backoff, sleep_to_tick
from shared.runtime.processing.batch import BatchProcessor
from shared.runtime.processing.failure_isolation import BatchHandler
from shared.runtime.processing.record_spans import RecordSpans
from shared.runtime.processing.redelivery import DeadLetterRedelivery
from shared.runtime.processing.sender_limits import SenderLimits
from shared.runtime.subscription.broker import PollTrackingBroker, create_subscriber
from shared.runtime.subscription.consumer import PollState, partition_count
from shared.runtime.tracing.spans import Tracing

_LAG_PERIOD_SECONDS = 5.0
log = structlog.get_logger(__name__)


class Subscription:
    """One consumer group that reads several topics with one subscriber; dead letters are redelivered through `operators_database`."""

    def __init__(
        self, database: Database, operators_database: Database, clock: Clock, health: Health, settings: RuntimeSettings, tracing: Tracing
    ) -> None:
        self.watermark: Watermark
        self.redelivery: DeadLetterRedelivery
        self._database = database
        self._operators_database = operators_database
        self._clock = clock
        self._health = health
        self._settings = settings
        self._spans = RecordSpans(tracing)
        self._broker: PollTrackingBroker | None = None
        self._subscriber: BatchSubscriber | None = None
        self._end_offsets: EndOffsetClient | None = None

    def configure(
        self,
        topics: Sequence[Topic],
        group: str,
        handler: BatchHandler,
        *,
        decode: EventDecoder,
        verify: RecordVerifier | None,
        event_types: Mapping[str, frozenset[str]] | None = None,
        own_echoes: Collection[tuple[str, str]] = (),
        on_repeated: BatchHandler | None = None,
    ) -> None:
        """Create the parts without connecting; see `Service.subscribe` for the parameters."""
        settings = self._settings
        names = [topic.name for topic in topics]
        self.watermark = Watermark(self._clock, names, timedelta(milliseconds=settings.clock_tolerance_ms))
        poll_state = PollState(self.watermark, self._health, settings.topic_prefix, settings.batch_size)
        decoder = RecordDecoder(decode, self._clock, verify, event_types, own_echoes)
        self.processor = BatchProcessor(
            self._database,
            decoder,
            handler,
            breaker=Breaker(settings.breaker_cases, self._health),
            limits=SenderLimits(settings.bad_records_burst, settings.bad_records_per_minute),
            health=self._health,
            clock=self._clock,
            batch_size=settings.batch_size,
            retry_seconds=settings.max_poll_interval_ms / 2000,
            on_repeated=on_repeated,
            spans=self._spans,
        )
        self._broker = PollTrackingBroker(settings, poll_state)
        self._subscriber = create_subscriber(self._broker, names, group, processor=self.processor, poll_state=poll_state, settings=settings)
        self.redelivery = DeadLetterRedelivery(self._operators_database, decoder, handler, self._partition_count, self._spans)
        self._health.set_trouble("consumer", "has not joined its group yet")

    @property
    def subscriber(self) -> BatchSubscriber | None:
        """FastStream's subscriber, None before `configure`."""
        return self._subscriber

    async def start(self, stop: asyncio.Event) -> None:
        """Join the group. While the broker is unavailable, log the reason and retry until `stop` is set."""
        if self._broker is None or self._subscriber is None:
            return
        backoff = Backoff(initial_seconds=0.2, max_seconds=3.0)
        while trouble := await self._connect(self._broker):
            self._health.set_trouble("consumer", trouble)
            log.error("waiting for the broker", reason=trouble)
            await backoff.wait(stop)
            if stop.is_set():
                return
        self._health.watch("poll", self._settings.max_poll_interval_ms / 1000)
        self._end_offsets = EndOffsetClient(self._settings)
        self.watermark.attach(self._end_offsets, ConsumerPositionReader(self._subscriber, self._settings.topic_prefix))

    async def _connect(self, broker: PollTrackingBroker) -> str | None:
        """Start the broker; returns what prevents it."""
        if trouble := await diagnose_connection(self._settings):
            return trouble
        try:
            await broker.start()
        except KafkaError as error:
            await broker.stop()
            rule = f": {missing_rule(self._settings.kafka_username)}" if isinstance(error, FORBIDDEN) else ""
            return f"the broker answers, but joining the group failed: {type(error).__name__}{rule}"
        return None

    async def stop(self, seconds: float) -> bool:
        """Finish the batch, commit the offsets, leave the group; False when the Kafka client hung longer than `seconds`."""
        self._health.unwatch("poll")
        if self._end_offsets is not None:
            await self._end_offsets.close()
        if self._broker is None:
            return True
        self.processor.stopping.set()
        try:
            async with asyncio.timeout(seconds):
                await self._broker.stop()
        except TimeoutError:
            return False
        return True

    async def measure_lag(self, stop: asyncio.Event) -> None:
        """Update the lag gauges until `stop`; while the broker does not answer they have no value and the process is degraded."""
        while not stop.is_set():
            if await self.watermark.refresh(self.watermark.owned_partitions()):
                self._health.clear_trouble("broker")
                metrics.WATERMARK_LAG.observe(self.watermark.lag_seconds)
                metrics.CONSUMER_LAG.replace({(topic,): lag for topic, lag in self.watermark.lag_by_topic.items()})
            else:
                metrics.CONSUMER_LAG.expire()
                self._health.set_trouble("broker", "the broker does not answer; timers wait until it does")
            await sleep_to_tick(stop, _LAG_PERIOD_SECONDS)

    def _partition_count(self, topic: str) -> int:
        consumer = None if self._subscriber is None else self._subscriber.consumer
        return self._settings.topic_partitions if consumer is None else partition_count(consumer, f"{self._settings.topic_prefix}{topic}")
