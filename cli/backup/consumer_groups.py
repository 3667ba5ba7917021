"""Sets the consumer groups of the services back to an instant, so that a restored database reads again what it has lost."""

from __future__ import annotations

from datetime import datetime

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CommitFailedError, KafkaError

from cli.service_names import SERVICES
from shared.runtime.errors import Unavailable
from shared.runtime.kafka.connection import connection_options
from shared.runtime.process.settings import RuntimeSettings


async def set_groups_back(settings: RuntimeSettings, since: datetime) -> int:
    """Let every service read its topics again from an instant; returns how many records that are at most.

    The inbox drops those that the tables have already. Raises `Unavailable` while a process of a service is running.
    """
    admin = AIOKafkaAdminClient(client_id="jiesu-restore", **connection_options(settings))
    await admin.start()
    try:
        groups = {service: await admin.list_consumer_group_offsets(f"{settings.topic_prefix}{service}") for service in SERVICES}
    finally:
        await admin.close()
    return sum([await _set_back(settings, service, list(offsets), since) for service, offsets in groups.items() if offsets])


async def _set_back(settings: RuntimeSettings, service: str, partitions: list[TopicPartition], since: datetime) -> int:
    group = f"{settings.topic_prefix}{service}"
    consumer = AIOKafkaConsumer(group_id=group, enable_auto_commit=False, client_id="jiesu-restore", **connection_options(settings))
    try:
        await consumer.start()
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found = await consumer.offsets_for_times(dict.fromkeys(partitions, int(since.timestamp() * 1000)))
        # None: nothing was written since, so that the group stays at the end.
        starts = {partition: ends[partition] if (at := found.get(partition)) is None else at.offset for partition in partitions}
        await consumer.commit(starts)
    except CommitFailedError as error:
        raise Unavailable(f"the group {group} has members: stop every process of {service} first") from error
    except KafkaError as error:
        raise Unavailable(
            f"the group {group} cannot be set back ({type(error).__name__}): stop every process of {service} first"
        ) from error
    finally:
        await consumer.stop()
    return sum(ends[partition] - starts[partition] for partition in partitions)
