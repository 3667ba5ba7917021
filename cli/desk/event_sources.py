"""Events for a rebuild of the desk: from the topics, and from an export of sla's ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import ValidationError

from cli.output_file import open_lines
from services.desk.application.projecting import TopicEvent
from services.desk.handlers import TOPICS
from shared.contracts import decode_body
from shared.contracts.envelope import CE_TYPE
from shared.contracts.events import decode_event
from shared.contracts.topics import CASE_EVENTS, PARTITIONS
from shared.runtime.errors import Misconfigured

BATCH = 2_000
_POLL_MS = 200


class TopicSource:
    """The desk's topics from their beginning; each call of `batches` continues where the last one ended.

    A record that cannot be decoded is skipped, as the consumer, which made a dead letter of it, did.
    """

    def __init__(self, consumer: AIOKafkaConsumer, prefix: str) -> None:
        self._consumer = consumer
        self._prefix = prefix
        self._partitions = [TopicPartition(f"{prefix}{topic.name}", number) for topic in TOPICS for number in range(PARTITIONS)]
        self._positions: dict[TopicPartition, int] = {}
        self.skipped = 0

    async def batches(self) -> AsyncIterator[Sequence[TopicEvent]]:
        """Events up to the present ends, each partition in order."""
        if not self._positions:
            self._positions = dict(await self._consumer.beginning_offsets(self._partitions))
            self._consumer.assign(self._partitions)
        ends = await self._consumer.end_offsets(self._partitions)
        unread = {each for each in self._partitions if self._positions[each] < ends[each]}
        for partition in unread:
            self._consumer.seek(partition, self._positions[partition])
        while unread:
            batch: list[TopicEvent] = []
            records = await self._consumer.getmany(*unread, timeout_ms=_POLL_MS, max_records=BATCH)
            for partition, found in records.items():
                topic = partition.topic.removeprefix(self._prefix)
                batch += [event for record in found if (event := self._event(topic, record.headers, record.value)) is not None]
                self._positions[partition] = found[-1].offset + 1
                if self._positions[partition] >= ends[partition]:
                    unread.discard(partition)
            if batch:
                yield batch

    def _event(self, topic: str, headers: Sequence[tuple[str, bytes | None]], body: bytes | None) -> TopicEvent | None:
        event_type = (dict(headers).get(CE_TYPE) or b"").decode("utf-8", "replace")
        try:
            return topic, decode_body(event_type, body or b""), body or b""
        except (LookupError, ValueError):
            self.skipped += 1
            return None


class LedgerSource:
    """The lines that `jiesu ledger export` writes: `{"type": …, "event": {…}}`, each case in order."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def batches(self) -> AsyncIterator[Sequence[TopicEvent]]:
        """All events of the file; raises `Misconfigured` with the line that is no event."""
        batch: list[TopicEvent] = []
        with open_lines(self._path, "rb") as lines:
            for number, line in enumerate(lines, 1):
                batch.append(self._event(number, line))
                if len(batch) >= BATCH:
                    yield batch
                    batch = []
        if batch:
            yield batch

    def _event(self, number: int, line: bytes) -> TopicEvent:
        try:
            document = orjson.loads(line)
            body = orjson.dumps(document["event"])
            return CASE_EVENTS.name, decode_event(document["type"], body), body
        except (ValueError, LookupError, TypeError, ValidationError) as error:
            raise Misconfigured(f"{self._path.name}, line {number}: must be an event as `jiesu ledger export` writes it") from error
