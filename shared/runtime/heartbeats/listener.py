"""Reads the heartbeats of all processes, and reports processes without one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord
from pydantic import ValidationError

from shared.contracts.operations.heartbeats import Heartbeat
from shared.contracts.topics import HEARTBEATS
from shared.runtime.heartbeats.peers import Peers
from shared.runtime.kafka.connection import FETCHER_OPTIONS, connection_options
from shared.runtime.process import metrics
from shared.runtime.process.failures import redacted_reason
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.process.waiting import Backoff

PAST_RECORDS = 1000
"""Read at the start: at five services and five seconds, those of the last twenty minutes."""
_POLL_MS = 1000
_STOP_SECONDS = 2.0
log = structlog.get_logger(__name__)


class HeartbeatListener:
    """Sets `jiesu_heartbeat_age_seconds`, and logs processes whose heartbeats stop or come again."""

    def __init__(self, settings: RuntimeSettings) -> None:
        self.peers = Peers()
        self._settings = settings
        self._silent: set[tuple[str, str]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop` is set; without the broker, or the topic, try again."""
        backoff = Backoff(initial_seconds=1.0, max_seconds=30.0)
        while not stop.is_set():
            try:
                async with heartbeat_consumer(self._settings) as consumer:
                    backoff.reset()
                    while not stop.is_set():
                        self._hear(await next_records(consumer))
            except (KafkaError, OSError, TimeoutError) as error:
                if backoff.failures == 0:
                    log.warning("heartbeats cannot be read", topic=HEARTBEATS.name, reason=redacted_reason(error))
                await backoff.wait(stop)

    def _hear(self, records: Sequence[ConsumerRecord]) -> None:
        if not records:
            return
        hear(self.peers, records)
        metrics.HEARTBEAT_AGE.replace({(service,): age for service, age in self.peers.ages_by_service().items()})
        silent = self.peers.silent(self._settings.silence_seconds)
        for service, process in sorted(silent - self._silent):
            log.error("a process stands still", peer=service, process=process, silent_seconds=self._settings.silence_seconds)
        for service, process in sorted(self._silent - silent):
            log.info("a process is heard again, or gone", peer=service, process=process)
        self._silent = silent


def hear(peers: Peers, records: Sequence[ConsumerRecord]) -> None:
    """Note the heartbeats of records; what is none is left out."""
    for record in records:
        try:
            beat = Heartbeat.model_validate_json(record.value or b"")
        except ValidationError:
            # Of a newer release, or of a foreign program: it must not keep the others from being heard.
            metrics.HEARTBEATS_UNREADABLE.inc()
            continue
        peers.hear(beat, record.timestamp)


async def next_records(consumer: AIOKafkaConsumer, wait_ms: int = _POLL_MS) -> list[ConsumerRecord]:
    """The next records, none after `wait_ms`."""
    batches = await consumer.getmany(timeout_ms=wait_ms)
    return [record for batch in batches.values() for record in batch]


@asynccontextmanager
async def heartbeat_consumer(settings: RuntimeSettings) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer that begins with the latest heartbeats; raises KafkaError or TimeoutError without the broker or the topic."""
    # Without a group: every process reads all of them, and has no offset to keep.
    consumer = AIOKafkaConsumer(
        client_id="jiesu-heartbeats",
        enable_auto_commit=False,
        fetch_max_wait_ms=_POLL_MS,
        **FETCHER_OPTIONS,
        **connection_options(settings),
    )
    partition = TopicPartition(f"{settings.topic_prefix}{HEARTBEATS.name}", 0)
    try:
        async with asyncio.timeout(settings.send_timeout):
            await consumer.start()
            consumer.assign([partition])
            [end] = (await consumer.end_offsets([partition])).values()
            [beginning] = (await consumer.beginning_offsets([partition])).values()
        consumer.seek(partition, max(beginning, end - PAST_RECORDS))
        yield consumer
    finally:
        # A consumer whose broker is away stops by waiting for it.
        await asyncio.wait([asyncio.ensure_future(consumer.stop())], timeout=_STOP_SECONDS)
