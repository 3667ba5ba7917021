"""`jiesu topics apply` on the real broker."""

import asyncio
from dataclasses import replace

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from typer.testing import CliRunner

from cli.commands.operations.topics import app
from shared.contracts import topics as registry
from shared.runtime.errors import Misconfigured, Unavailable
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.process.settings import RuntimeSettings
from tests.integration.runtime.probe import OUTPUT

SMALL = replace(OUTPUT, partitions=2)


async def described(settings: RuntimeSettings) -> dict[str, str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, f"{settings.topic_prefix}{OUTPUT.name}")])
    await admin.close()
    return {entry[0]: entry[1] for entry in answer.resources[0][4]}


async def test_what_is_absent_is_created_with_the_brokers_timestamps(settings: RuntimeSettings) -> None:
    assert await apply_topics(settings, [SMALL]) == {f"{settings.topic_prefix}{OUTPUT.name}": "created"}
    configs = await described(settings)
    assert configs["message.timestamp.type"] == "LogAppendTime"
    assert configs["retention.ms"] == str(OUTPUT.retention_ms)


async def test_what_exists_is_corrected(settings: RuntimeSettings) -> None:
    await apply_topics(settings, [SMALL])
    assert await apply_topics(settings, [replace(SMALL, retention_ms=1_000_000)]) == {f"{settings.topic_prefix}{OUTPUT.name}": "updated"}
    assert (await described(settings))["retention.ms"] == "1000000"


async def test_another_number_of_partitions_is_refused_because_it_would_move_cases(settings: RuntimeSettings) -> None:
    await apply_topics(settings, [SMALL])
    with pytest.raises(Misconfigured, match="2 partitions instead of 3"):
        await apply_topics(settings, [replace(SMALL, partitions=3)])


async def test_what_the_broker_refuses_is_an_error_though_its_client_does_not_raise(settings: RuntimeSettings) -> None:
    with pytest.raises(Misconfigured, match="InvalidReplicationFactor"):
        await apply_topics(settings.model_copy(update={"replication_factor": 7}), [SMALL])


async def test_the_command_makes_the_whole_registry_and_says_so(settings: RuntimeSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", settings.kafka_bootstrap_servers)
    monkeypatch.setenv("JIESU_TOPIC_PREFIX", settings.topic_prefix)
    result = await asyncio.to_thread(CliRunner().invoke, app, ["apply", "--department", "17"])
    assert result.exit_code == 0, result.output
    made = {line.split()[1].removeprefix(settings.topic_prefix) for line in result.output.splitlines()}
    assert made == {*registry.TOPICS, "department-17"}


async def test_without_a_broker_one_sentence_says_where_it_was_looked_for(settings: RuntimeSettings) -> None:
    with pytest.raises(Unavailable, match=r"no broker answers at 127\.0\.0\.1:1 .*KAFKA_BOOTSTRAP_SERVERS"):
        await apply_topics(settings.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:1"}), [SMALL])
