"""Creates and configures topics as the registry describes them."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.contracts.topics import PARTITIONS, Topic
from shared.runtime.clock import monotonic
from shared.runtime.errors import Misconfigured, Unavailable
from shared.runtime.kafka.connection import connection_options, diagnose_connection
from shared.runtime.process.settings import RuntimeSettings

_LEADER_TIMEOUT_SECONDS = 30.0
_DAY_MS = 86_400_000
_TOPIC_CONFIG_SOURCE = 1
"""ConfigSource of the protocol for a value that was set on the topic, not by the broker or a default."""


def topic_configs(topic: Topic, retention_days: int = 30) -> dict[str, str]:
    """The broker's configuration of a topic. An action from Kafka happens at the broker's timestamp, hence LogAppendTime."""
    return {
        "message.timestamp.type": "LogAppendTime",
        "retention.ms": str(min(topic.retention_ms, retention_days * _DAY_MS)),
        "cleanup.policy": topic.cleanup,
    }


async def apply_topics(settings: RuntimeSettings, topics: Iterable[Topic]) -> dict[str, str]:
    """Create missing topics and correct the others; returns `created`, `updated` or `kept` by topic.

    Raises Unavailable without a broker, and Misconfigured for a topic with another number of partitions: changing it would move cases to
    other partitions.
    """
    if trouble := await diagnose_connection(settings):
        raise Unavailable(trouble)
    admin = AIOKafkaAdminClient(client_id="jiesu-topics", **connection_options(settings))
    await admin.start()
    try:
        wanted = {f"{settings.topic_prefix}{topic.name}": _resized(topic, settings.topic_partitions) for topic in topics}
        created = await _create(admin, wanted, settings)
        await _await_leaders(admin, wanted)
        # New topics have their configuration since their creation.
        updated = await _configure(admin, {name: topic for name, topic in wanted.items() if name not in created}, settings)
    finally:
        await admin.close()
    return {name: "created" if name in created else "updated" if name in updated else "kept" for name in wanted}


def _resized(topic: Topic, partitions: int) -> Topic:
    # All topics of cases have the same number, since a case is on the same one in each; a topic with a number of its own is of no case.
    return replace(topic, partitions=partitions) if topic.partitions == PARTITIONS else topic


async def _create(admin: AIOKafkaAdminClient, wanted: Mapping[str, Topic], settings: RuntimeSettings) -> set[str]:
    days, replicas = settings.topic_retention_days, settings.replication_factor
    new = [NewTopic(name, topic.partitions, replicas, topic_configs=topic_configs(topic, days)) for name, topic in wanted.items()]
    answer = await admin.create_topics(new)  # never raises: topic_errors holds the errors
    created: set[str] = set()
    for name, code, *message in answer.topic_errors:
        error = for_code(code)
        if code == 0:
            created.add(name)
        elif error is not TopicAlreadyExistsError:
            raise Misconfigured(f"topic {name} cannot be created: {error.__name__} {message[0] if message else ''}")
    return created


async def _await_leaders(admin: AIOKafkaAdminClient, wanted: Mapping[str, Topic]) -> None:
    """Wait for the leaders of all partitions: create_topics returns before they are elected."""
    deadline = monotonic() + _LEADER_TIMEOUT_SECONDS
    while True:
        described = {topic["topic"]: topic["partitions"] for topic in await admin.describe_topics(list(wanted))}
        ready = {name for name, partitions in described.items() if partitions and all(p["leader"] >= 0 for p in partitions)}
        if len(ready) == len(wanted):
            break
        if monotonic() > deadline:
            raise Unavailable(f"no leader for {sorted(set(wanted) - ready)} after {_LEADER_TIMEOUT_SECONDS:.0f} s")
        await asyncio.sleep(0.1)
    for name, topic in wanted.items():
        if len(described[name]) != topic.partitions:
            raise Misconfigured(
                f"topic {name} has {len(described[name])} partitions instead of {topic.partitions}: every input topic needs the same "
                "number (JIESU_TOPIC_PARTITIONS); for another one move to fresh topics (JIESU_TOPIC_PREFIX, `jiesu topics move`)"
            )


async def _configure(admin: AIOKafkaAdminClient, existing: Mapping[str, Topic], settings: RuntimeSettings) -> set[str]:
    """Correct the configuration of existing topics; returns those that had another one."""
    if not existing:
        return set()
    names = [ConfigResource(ConfigResourceType.TOPIC, name) for name in existing]
    described = [resource for answer in await admin.describe_configs(names) for resource in answer.resources]
    _require_accepted(described, "described")
    set_on_topic = {name: _operator_configs(entries) for _, _, _, name, entries in described}
    changed = {
        name: configs
        for name, topic in existing.items()
        if (configs := corrected_configs(set_on_topic.get(name, {}), topic, settings.topic_retention_days)) is not None
    }
    if changed:
        resources = [ConfigResource(ConfigResourceType.TOPIC, name, configs=configs) for name, configs in changed.items()]
        _require_accepted([resource for answer in await admin.alter_configs(resources) for resource in answer.resources], "configured")
    return set(changed)


def corrected_configs(present: Mapping[str, str], topic: Topic, retention_days: int) -> dict[str, str] | None:
    """The whole configuration that a topic is to have, given what is set on it; None where that is right already."""
    wanted = topic_configs(topic, retention_days)
    # AlterConfigs replaces the whole configuration: what it does not name falls back to the broker's default.
    return None if wanted.items() <= present.items() else {**present, **wanted}


def _require_accepted(answers: Iterable[Sequence[Any]], done: str) -> None:
    """Raise `Misconfigured` for the first topic that the broker refuses; aiokafka raises nothing for the errors of single topics."""
    for code, message, _, name, *_ in answers:
        if code != 0:
            raise Misconfigured(f"topic {name} cannot be {done}: {for_code(code).__name__} {message or ''}")


def _operator_configs(entries: Iterable[Sequence[Any]]) -> dict[str, str]:
    """Settings of the topic itself, such as `max.message.bytes` by its operator; `entries` as DescribeConfigs answers."""
    return {name: value for name, value, _, source, *_ in entries if source == _TOPIC_CONFIG_SOURCE}
