"""Reads a topic's events: typed, each once, in the order of its case."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from pydantic import ValidationError

from jiesu_client.processed import ProcessedEvents
from shared.contracts.envelope import CE_BY, CE_ID, CE_SEQUENCE, CE_SOURCE, CE_TIME, CE_TYPE
from shared.contracts.events import EVENT_CLASSES, CaseEvent, decode_event
from shared.contracts.topics import department_topic

log = logging.getLogger("jiesu_client")


@dataclass(frozen=True, slots=True)
class TopicEvent:
    """An event of a topic.

    `body` is the typed event, None for a type or content that this version of the client does not know; `document` is its JSON.
    `sequence` counts the events of a case at their `source`. `out_of_order`: a later one of the case was processed before (an event
    that had been set aside and was sent again).
    """

    id: str
    type: str
    source: str
    decided_by: str
    sequence: int
    at: datetime
    case: str
    body: CaseEvent | None
    document: dict[str, Any]
    out_of_order: bool = False


class TopicSubscription:
    """The events of one topic for one group of processes; each process gets a share of the cases.

    `group` must begin as the principal's rights have it: for a department `department-<id>.`. `options` are those of aiokafka's consumer.
    """

    def __init__(
        self, topic: str, group: str, bootstrap_servers: str, processed: ProcessedEvents, topic_prefix: str = "", **options: Any
    ) -> None:
        self._topic = f"{topic_prefix}{topic}"
        self._processed = processed
        self._options = {
            "bootstrap_servers": bootstrap_servers,
            "group_id": group,
            "auto_offset_reset": "earliest",
            "enable_auto_commit": False,
            "isolation_level": "read_committed",
            **options,
        }

    @classmethod
    def of_department(
        cls, department: str, name: str, bootstrap_servers: str, processed: ProcessedEvents, **options: Any
    ) -> "TopicSubscription":
        """The cases of a department, for its program `name`."""
        topic = department_topic(department).name
        return cls(topic, f"{topic}.{name}", bootstrap_servers, processed, **options)

    async def run(self, handle: Callable[[TopicEvent], Awaitable[None]]) -> None:
        """Call `handle` for each event until cancelled; an event counts as processed when it returns.

        What `handle` raises ends the run: nothing is marked, and the event comes again. After a kill between `handle` and the mark it
        comes again too; who needs it exactly once, marks it in the transaction of his own data (`ProcessedEvents`).
        """
        async for event in self.events():
            await handle(event)
            await self._processed.add(event.id, event.case, event.source, event.sequence)

    async def events(self) -> AsyncIterator[TopicEvent]:
        """The events that are not processed yet; the caller marks each one, and offsets are committed behind marked ones."""
        consumer = AIOKafkaConsumer(self._topic, **self._options)
        await consumer.start()
        try:
            while True:
                batches = await consumer.getmany(timeout_ms=500, max_records=500)
                for records in batches.values():
                    for record in records:
                        event = _event(record)
                        if event is not None and not await self._processed.contains(event.id):
                            yield await self._placed(event)
                if batches:
                    await consumer.commit()
        finally:
            # Shielded: a cancelled program still leaves its group, so that the others need not wait for the session's end.
            await asyncio.shield(consumer.stop())

    async def _placed(self, event: TopicEvent) -> TopicEvent:
        last = await self._processed.last_sequence(event.case, event.source)
        if event.sequence >= last:
            return event
        values = {name: getattr(event, name) for name in TopicEvent.__slots__}
        return TopicEvent(**{**values, "out_of_order": True})


def _event(record: "ConsumerRecord[bytes, bytes]") -> TopicEvent | None:
    """The event in a record; None, and a warning without its content, for what is no event of the platform."""
    headers = {name: value.decode("ascii", "replace") for name, value in record.headers}
    try:
        document = json.loads(record.value or b"")
        case, at = (record.key or b"").decode(), datetime.fromisoformat(headers[CE_TIME])
        event_id, kind, source = headers[CE_ID], headers[CE_TYPE], headers[CE_SOURCE]
        sequence = int(headers.get(CE_SEQUENCE, "0"))
    except (ValueError, KeyError) as error:
        log.warning("record %s of partition %s is no event: %s", record.offset, record.partition, type(error).__name__)
        return None
    if not isinstance(document, dict):
        return None
    body = _body(kind, record.value or b"") if kind in EVENT_CLASSES else None
    return TopicEvent(event_id, kind, source, headers.get(CE_BY) or source, sequence, at, case, body, document)


def _body(kind: str, content: bytes) -> CaseEvent | None:
    try:
        return decode_event(kind, content)
    except ValidationError:
        # A value that a later version of the platform has added: the document still has it.
        log.warning("event %s has a value that this version of the client does not know", kind)
        return None
