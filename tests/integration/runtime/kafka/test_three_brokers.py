"""With three brokers and three replicas one broker may fail; with two down messages wait, and come when they are back."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.process.settings import RuntimeSettings
from tests.integration.runtime.probe_service import INPUTS, OUTPUT, ProbeHandler, build_service, count_rows
from tests.integration.runtime.test_outages import add_messages, check_topic, wait_until_outbox_empty
from tests.support.servers.kafka_cluster import NODES, KafkaCluster
from tests.support.waiting import wait_for

MESSAGES = 60
"""Of each of three times: all brokers up, one down, two down."""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[KafkaCluster]:
    with KafkaCluster(tmp_path) as cluster:
        yield cluster


async def leading_node(settings: RuntimeSettings) -> int:
    """The leader of the output's first partition."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    [described] = await admin.describe_topics([f"{settings.topic_prefix}{OUTPUT.name}"])
    await admin.close()
    [leader] = [partition["leader"] for partition in described["partitions"] if partition["partition"] == 0]
    return int(leader)


@pytest.mark.timeout(240)
async def test_one_broker_may_fail_and_with_two_down_messages_wait(cluster: KafkaCluster, settings: RuntimeSettings) -> None:
    settings = settings.model_copy(
        update={"kafka_bootstrap_servers": cluster.bootstrap_servers, "replication_factor": 3, "send_timeout": 4.0}
    )
    await apply_topics(settings, [*INPUTS, OUTPUT])
    async with build_service(settings, ProbeHandler()).running() as service:
        await add_messages(service, range(MESSAGES))
        await wait_until_outbox_empty(service)
        first = await leading_node(settings)
        await asyncio.to_thread(cluster.nodes[first].kill)
        await add_messages(service, range(MESSAGES, 2 * MESSAGES))
        await wait_until_outbox_empty(service, deadline=60)

        second = next(node for node in NODES if node != first)
        await asyncio.to_thread(cluster.nodes[second].kill)
        await add_messages(service, range(2 * MESSAGES, 3 * MESSAGES))
        await wait_for(
            lambda: "relay" in service.health.troubles(), deadline=60, what="the relay fails while two of three brokers are down"
        )
        assert await count_rows(service, "outbox") > 0

        for node in (first, second):
            await asyncio.to_thread(cluster.nodes[node].start)
        await wait_until_outbox_empty(service, deadline=90)
    await check_topic(settings, 3 * MESSAGES)
