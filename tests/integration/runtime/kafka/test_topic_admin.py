"""Topics are created and configured as the registry describes them."""

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
from tests.integration.runtime.probe_service import OUTPUT

SMALL = replace(OUTPUT, partitions=2)


async def topic_configs(settings: RuntimeSettings) -> dict[str, str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, f"{settings.topic_prefix}{OUTPUT.name}")])
    await admin.close()
    return {entry[0]: entry[1] for entry in answer.resources[0][4]}


async def set_config(settings: RuntimeSettings, configs: dict[str, str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, f"{settings.topic_prefix}{OUTPUT.name}", configs)])
    await admin.close()


async def test_an_absent_topic_is_created_with_broker_timestamps(settings: RuntimeSettings) -> None:
    assert await apply_topics(settings, [SMALL]) == {f"{settings.topic_prefix}{OUTPUT.name}": "created"}
    configs = await topic_configs(settings)
    assert configs["message.timestamp.type"] == "LogAppendTime"
    assert configs["retention.ms"] == str(OUTPUT.retention_ms)


async def test_an_existing_topic_is_configured(settings: RuntimeSettings) -> None:
    await apply_topics(settings, [SMALL])
    assert await apply_topics(settings, [SMALL]) == {f"{settings.topic_prefix}{OUTPUT.name}": "kept"}
    assert await apply_topics(settings, [replace(SMALL, retention_ms=1_000_000)]) == {f"{settings.topic_prefix}{OUTPUT.name}": "updated"}
    assert (await topic_configs(settings))["retention.ms"] == "1000000"


async def test_what_an_operator_set_on_a_topic_is_kept(settings: RuntimeSettings) -> None:
    await apply_topics(settings, [SMALL])
    await set_config(settings, {"max.message.bytes": "2000000", "retention.ms": "7"})
    await apply_topics(settings, [SMALL])
    configs = await topic_configs(settings)
    assert (configs["max.message.bytes"], configs["retention.ms"]) == ("2000000", str(OUTPUT.retention_ms))


async def test_a_different_number_of_partitions_is_refused(settings: RuntimeSettings) -> None:
    await apply_topics(settings, [SMALL])
    with pytest.raises(Misconfigured, match="2 partitions instead of 3"):
        await apply_topics(settings, [replace(SMALL, partitions=3)])


async def test_a_refusal_of_the_broker_is_raised(settings: RuntimeSettings) -> None:
    with pytest.raises(Misconfigured, match="InvalidReplicationFactor"):
        await apply_topics(settings.model_copy(update={"replication_factor": 7}), [SMALL])
    await apply_topics(settings, [SMALL])
    with pytest.raises(Misconfigured, match=f"{OUTPUT.name} cannot be configured: InvalidConfig"):
        await apply_topics(settings, [replace(SMALL, retention_ms=-5)])
    assert (await topic_configs(settings))["retention.ms"] == str(OUTPUT.retention_ms)


async def test_the_command_creates_every_topic_of_the_registry(settings: RuntimeSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", settings.kafka_bootstrap_servers)
    monkeypatch.setenv("JIESU_TOPIC_PREFIX", settings.topic_prefix)
    result = await asyncio.to_thread(CliRunner().invoke, app, ["apply", "--department", "17"])
    assert result.exit_code == 0, result.output
    created = {line.split()[1].removeprefix(settings.topic_prefix) for line in result.output.splitlines()}
    assert created == {*registry.TOPICS, registry.HEARTBEATS.name, "department-17"}


async def test_an_unreachable_broker_is_reported_with_its_address(settings: RuntimeSettings) -> None:
    with pytest.raises(Unavailable, match=r"no broker answers at 127\.0\.0\.1:1 .*KAFKA_BOOTSTRAP_SERVERS"):
        await apply_topics(settings.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:1"}), [SMALL])
