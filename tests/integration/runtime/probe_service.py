"""A small service for the tests of the runtime: it stores notes of cases in order and publishes an event for each note."""

import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer
from pydantic import BaseModel, ConfigDict

from shared.contracts import topics
from shared.contracts.envelope import CloudEventRecord
from shared.runtime.clock import uuid7
from shared.runtime.database.database import Transaction
from shared.runtime.errors import Rejected
from shared.runtime.kafka.partitioner import partition_of
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.outbox import outbox
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from shared.runtime.timers import timers
from shared.runtime.timers.timers import DueTimer
from tests.support.messaging.cloud_events import cloud_event, cloud_event_headers
from tests.support.messaging.topic_client import TopicClient
from tests.support.waiting import wait_for

PARTITIONS = 12  # half of the registry's: every test creates topics of its own
INPUTS = [replace(topic, partitions=PARTITIONS) for topic in (topics.TRIAGE_EVENTS, topics.CASE_ACTIONS)]
OUTPUT = replace(topics.CASE_EVENTS, partitions=PARTITIONS)


class ProbeNote(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: str
    due: datetime | None = None


def decode_note(kind: str, body: bytes) -> ProbeNote:
    if kind != "noted":
        raise Rejected(f"unknown type {kind}")
    return ProbeNote.model_validate_json(body)


@dataclass
class ProbeHandler:
    """The handler of the service; `raise_on(text)` may raise, `batches` holds the texts of each call."""

    raise_on: Callable[[str], None] = lambda _: None
    batches: list[list[str]] = field(default_factory=list)

    async def handle(self, tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        self.batches.append([r.event.text for r in batch])
        cases = sorted({r.key for r in batch})
        await tx.execute("INSERT INTO cases SELECT unnest($1::text[]), 0 ON CONFLICT DO NOTHING", cases)
        await tx.fetch("SELECT id FROM cases WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE", cases)
        for record in batch:
            self.raise_on(record.event.text)
        await tx.execute(
            "INSERT INTO notes (case_id, text, recorded) SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[])",
            [r.key for r in batch],
            [r.event.text for r in batch],
            [r.recorded_at for r in batch],
        )
        await timers.arm(tx, {r.key: (r.partition, r.event.due) for r in batch if r.event.due or r.event.text == "met"})
        await outbox.add(tx, [outgoing_message(r) for r in batch])

    async def lock(self, tx: Transaction, cases: Sequence[str]) -> Sequence[str]:
        rows = await tx.fetch("SELECT id FROM cases WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE SKIP LOCKED", cases)
        return [row["id"] for row in rows]

    async def fire(self, tx: Transaction, due: Sequence[DueTimer], now: datetime) -> None:  # noqa: ARG002
        for d in due:
            self.raise_on(f"fire {d.case_id}")
        await tx.execute(
            "INSERT INTO notes (case_id, text, recorded) SELECT id, 'fired', at FROM unnest($1::text[], $2::timestamptz[]) AS f (id, at)",
            [d.case_id for d in due],
            [d.due_at for d in due],
        )


def outgoing_message(record: ReceivedRecord) -> CloudEventRecord:
    return CloudEventRecord(
        topic=OUTPUT.name, key=record.key, id=uuid7(), type="noted", at=record.at, body=record.body, source="/probe", sequence=0
    )


def build_service(settings: RuntimeSettings, probe: ProbeHandler, **options: Any) -> Service:
    service = Service("probe", settings, migrations="tests.integration.runtime.migrations")
    service.subscribe(INPUTS, "probe", probe.handle, decode=decode_note, **options)
    return service


def note_headers(event_type: str = "noted", event_id: str = "") -> list[tuple[str, bytes]]:
    return cloud_event_headers(topics.CASE_ACTIONS, event_type, event_id=event_id)


def note_body(text: str, **fields: Any) -> bytes:
    return orjson.dumps({"text": text, **fields})


class ProbeSender(TopicClient):
    """Sends notes to the inputs of the service, and invalid records."""

    async def send_note(self, case: str, text: str, topic: str = "case-actions", event_id: str = "", **fields: Any) -> None:
        await self.publish(cloud_event(topics.TOPICS[topic], case, "noted", {"text": text, **fields}, event_id=event_id))

    async def send_notes(self, topic: str, notes: Sequence[tuple[str, str]]) -> None:
        await self.publish_all([cloud_event(topics.TOPICS[topic], case, "noted", {"text": text}) for case, text in notes])


@asynccontextmanager
async def open_probe_sender(settings: RuntimeSettings) -> AsyncIterator[ProbeSender]:
    """A sender to the settings' broker for the length of a block."""
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers) as producer:
        yield ProbeSender(settings, producer)


def case_on_partition(partition: int, number: int = 0) -> str:
    """The case id with that number among those of the partition."""
    cases = (f"case-{n}" for n in itertools.count() if partition_of(f"case-{n}", PARTITIONS) == partition)
    return next(itertools.islice(cases, number, None))


async def stored_notes(service: Service, case: str | None = None) -> list[str]:
    async with service.database.transaction() as tx:
        rows = await tx.fetch("SELECT text FROM notes WHERE $1::text IS NULL OR case_id = $1 ORDER BY place", case)
    return [row["text"] for row in rows]


async def count_rows(service: Service, table: str) -> int:
    async with service.database.transaction() as tx:
        return int(await tx.fetchval(f"SELECT count(*) FROM {table}"))


async def dead_letter_reasons(service: Service) -> list[str]:
    async with service.database.transaction() as tx:
        return [row["reason"] for row in await tx.fetch("SELECT reason FROM dead_letter ORDER BY id")]


async def wait_for_notes(service: Service, expected: list[str], case: str | None = None) -> None:
    async def arrived() -> bool:
        return await stored_notes(service, case) == expected

    await wait_for(arrived, what=f"notes {expected}")
