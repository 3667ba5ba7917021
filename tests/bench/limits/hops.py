"""The hops of a complaint, and the records that each one sends, taken from a run of the real services."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.contracts.envelope import CE_TYPE
from shared.contracts.topics import (
    CASE_EVENTS,
    COMPLAINT_EVENTS,
    COMPLAINT_SUBMISSIONS,
    NOTIFICATION_EVENTS,
    PARTITIONS,
    TRIAGE_EVENTS,
    Topic,
    department_topic,
)

DEPARTMENT = department_topic("bench")
"""Stands for the topics of all departments."""


@dataclass(frozen=True)
class Hop:
    """A service: what it reads, the topics of its records, and the module with the event types that it processes; all if it is empty."""

    service: str
    reads: tuple[Topic, ...]
    sends: tuple[Topic, ...]
    handlers: str = ""

    @cached_property
    def event_types(self) -> Mapping[str, frozenset[str]]:
        """The event types by topic. Imported when asked for: all services together are a fifth of what a process of a hop loads."""
        types: Mapping[str, frozenset[str]] = import_module(self.handlers).EVENT_TYPES if self.handlers else {}
        return types


HOPS = {
    hop.service: hop
    for hop in (
        Hop("intake", (COMPLAINT_SUBMISSIONS,), (COMPLAINT_EVENTS,)),
        Hop("triage", (COMPLAINT_EVENTS, CASE_EVENTS), (TRIAGE_EVENTS,), "services.triage.handlers"),
        Hop("sla", (TRIAGE_EVENTS, NOTIFICATION_EVENTS), (CASE_EVENTS, DEPARTMENT)),
        Hop("notify", (CASE_EVENTS,), (NOTIFICATION_EVENTS,), "services.notify.handlers"),
    )
}


@dataclass(frozen=True)
class RecordTemplate:
    """A record of the real services; `body` is its decoded JSON."""

    topic: str
    type: str
    body: dict[str, Any]


class RecordShape:
    """The records that a complaint causes, by hop."""

    def __init__(self, templates: Sequence[RecordTemplate]) -> None:
        self._templates = templates

    def sent_by(self, hop: Hop) -> list[RecordTemplate]:
        """The records of a hop, in order."""
        return [template for topic in hop.sends for template in self._templates if template.topic == topic.name]

    def cause(self, hop: Hop) -> str:
        """The type of the input that causes the records of a hop: the first of a complaint that the hop processes."""
        if hop.service == "intake":
            return "submission"
        return next(t.type for t in self._templates if t.topic == hop.reads[0].name and self._is_processed(hop, t))

    def write(self, path: Path) -> None:
        """Store for the processes of the hops."""
        path.write_bytes(orjson.dumps([[template.topic, template.type, template.body] for template in self._templates]))

    @classmethod
    def read(cls, path: Path) -> RecordShape:
        """What `write` stored."""
        return cls([RecordTemplate(*parts) for parts in orjson.loads(path.read_bytes())])

    def describe(self) -> dict[str, dict[str, int]]:
        """Records and bytes a complaint, by topic."""
        sizes: dict[str, list[int]] = defaultdict(list)
        for template in self._templates:
            sizes[template.topic].append(len(orjson.dumps(template.body)))
        return {topic: {"records": len(lengths), "bytes": sum(lengths)} for topic, lengths in sizes.items()}

    @staticmethod
    def _is_processed(hop: Hop, template: RecordTemplate) -> bool:
        types = hop.event_types.get(template.topic)
        return types is None or template.type in types


async def record_shape(bootstrap_servers: str, departments: Sequence[str]) -> RecordShape:
    """The records of one registered complaint of a running stack: of the case whose number of records is the most common."""
    by_case: dict[str, list[RecordTemplate]] = defaultdict(list)
    for record in await read_all(bootstrap_servers, [COMPLAINT_EVENTS, TRIAGE_EVENTS, CASE_EVENTS, NOTIFICATION_EVENTS]):
        by_case[record.key.decode()].append(_template(record, record.topic))
    for record in await read_all(bootstrap_servers, [department_topic(name) for name in departments]):
        by_case[record.key.decode()].append(_template(record, DEPARTMENT.name))
    shapes = sorted(by_case.values(), key=len)
    return RecordShape(shapes[len(shapes) // 2])


def _template(record: ConsumerRecord, topic: str) -> RecordTemplate:
    return RecordTemplate(topic, dict(record.headers)[CE_TYPE].decode(), orjson.loads(record.value))


async def read_all(bootstrap_servers: str, topics: Sequence[Topic], prefix: str = "") -> list[ConsumerRecord]:
    """All records of topics with this prefix."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(f"{prefix}{topic.name}", number) for topic in topics for number in range(PARTITIONS)]
        ends = await consumer.end_offsets(partitions)
        consumer.assign(partitions)
        left = sum(ends.values())
        records: list[ConsumerRecord] = []
        while len(records) < left:
            batches = await consumer.getmany(timeout_ms=1000)
            records += [record for batch in batches.values() for record in batch]
        return records
    finally:
        await consumer.stop()


def hop_of_command_line() -> tuple[Hop, RecordShape]:
    """The hop that the command line of a process names, and the shape whose file follows."""
    return HOPS[sys.argv[1]], RecordShape.read(Path(sys.argv[2]))
