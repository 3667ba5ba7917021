"""Finds the records of cases in the topics, and deletes them with all records before them in their partitions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import ConsumerRecord

from cli.reconciliation.topic_contents import consumer_without_group, read_to_present_ends
from shared.contracts.envelope import CE_TYPE
from shared.contracts.events.from_work_to_closing import PersonErased
from shared.contracts.topics import CASE_ACTIONS, COMPLAINT_SUBMISSIONS, TOPICS, department_topic
from shared.runtime.errors import Unavailable
from shared.runtime.kafka.connection import connection_options
from shared.runtime.kafka.partitioner import partition_of
from shared.runtime.process.settings import RuntimeSettings

_DEPARTMENT_PREFIX = "department-"
# Written by others, whose client may choose partitions in another way (librdkafka's default is CRC32).
_OF_OTHERS = frozenset({CASE_ACTIONS.name, COMPLAINT_SUBMISSIONS.name})


@dataclass(frozen=True, slots=True)
class HeldRecords:
    """The records of the cases in one partition: how many, the offset of the last, and until when the topic keeps them."""

    topic: str
    partition: int
    records: int
    last_offset: int
    kept_until: datetime


async def find_held_records(settings: RuntimeSettings, cases: Collection[str], references: Collection[str]) -> list[HeldRecords]:
    """The records of these cases in all topics; `references` are the keys of their submissions. `person_erased` is none."""
    async with consumer_without_group(settings, "jiesu-erase") as consumer:
        keys_by_partition: dict[TopicPartition, set[str]] = {}
        for name in await consumer.topics():
            topic = name.removeprefix(settings.topic_prefix)
            if not name.startswith(settings.topic_prefix) or not (topic in TOPICS or topic.startswith(_DEPARTMENT_PREFIX)):
                continue
            keys = set(references) if topic == COMPLAINT_SUBMISSIONS.name else set(cases)
            count = settings.topic_partitions
            numbers = range(count) if topic in _OF_OTHERS else {partition_of(case, count) for case in cases}
            keys_by_partition |= {TopicPartition(name, number): keys for number in numbers if keys}
        found: dict[TopicPartition, HeldRecords] = {}
        async for record in read_to_present_ends(consumer, list(keys_by_partition)):
            partition = TopicPartition(record.topic, record.partition)
            if (record.key or b"").decode(errors="replace") in keys_by_partition[partition] and not _is_erasure(record):
                found[partition] = _held_with(record, found.get(partition), record.topic.removeprefix(settings.topic_prefix))
        return sorted(found.values(), key=lambda held: (held.topic, held.partition))


async def delete_held_records(settings: RuntimeSettings, held: Sequence[HeldRecords]) -> None:
    """Delete the records, and all before them in their partitions; raises `Unavailable` while a consumer group has not read them."""
    if not held:
        return
    upto = {TopicPartition(f"{settings.topic_prefix}{each.topic}", each.partition): each.last_offset + 1 for each in held}
    admin = AIOKafkaAdminClient(client_id="jiesu-erase", **connection_options(settings))
    await admin.start()
    try:
        await _require_read(admin, upto)
        await admin.delete_records({partition: RecordsToDelete(before_offset=offset) for partition, offset in upto.items()})
    finally:
        await admin.close()


async def _require_read(admin: AIOKafkaAdminClient, upto: dict[TopicPartition, int]) -> None:
    for group, *_ in await admin.list_consumer_groups():
        committed = await admin.list_consumer_group_offsets(group, partitions=list(upto))
        for partition, position in committed.items():
            if 0 <= position.offset < upto[partition]:
                raise Unavailable(
                    f"the group {group} has read {partition.topic} up to {position.offset} in partition {partition.partition}, the "
                    f"records to delete end at {upto[partition]}: let it catch up, or delete the group if nobody reads with it any more"
                )


def _is_erasure(record: ConsumerRecord) -> bool:
    return bool(dict(record.headers).get(CE_TYPE) == PersonErased.name.encode())


def _held_with(record: ConsumerRecord, earlier: HeldRecords | None, topic: str) -> HeldRecords:
    retention = timedelta(milliseconds=(TOPICS.get(topic) or department_topic("")).retention_ms)
    until = datetime.fromtimestamp(record.timestamp / 1000, UTC) + retention
    if earlier is None:
        return HeldRecords(topic, record.partition, 1, record.offset, until)
    return HeldRecords(topic, record.partition, earlier.records + 1, record.offset, max(until, earlier.kept_until))
