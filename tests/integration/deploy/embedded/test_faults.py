"""A broker and a database that are killed, frozen and restarted on the same address."""

from collections.abc import Callable

import asyncpg
from aiokafka import AIOKafkaProducer

from deploy.embedded import EmbeddedServers
from deploy.embedded.kafka.readiness import broker_is_ready
from tests.support.servers.databases import asyncpg_dsn
from tests.support.servers.topics import Topics


async def test_killed_broker_restarts_on_its_port_with_its_records(own_servers: Callable[..., EmbeddedServers]) -> None:
    servers = own_servers(postgres=False)
    assert servers.kafka
    await Topics(servers.bootstrap_servers).create("a")
    async with AIOKafkaProducer(bootstrap_servers=servers.bootstrap_servers) as producer:
        assert (await producer.send_and_wait("a", b"before")).offset == 0
        servers.kafka.kill()
        assert not broker_is_ready(servers.bootstrap_servers)
        servers.kafka.start()
        assert (await producer.send_and_wait("a", b"after")).offset == 1


async def test_frozen_broker_does_not_respond_until_it_is_thawed(own_servers: Callable[..., EmbeddedServers]) -> None:
    servers = own_servers(postgres=False)
    assert servers.kafka
    servers.kafka.process.freeze()
    assert not broker_is_ready(servers.bootstrap_servers)
    servers.kafka.process.thaw()
    servers.kafka.wait_ready()


async def test_killed_database_restarts_under_its_url_with_its_rows(own_servers: Callable[..., EmbeddedServers]) -> None:
    servers = own_servers(kafka=False)
    assert servers.postgres
    url = servers.database_url
    connection = await asyncpg.connect(asyncpg_dsn(url))
    await connection.execute("CREATE TABLE marker AS SELECT 7 AS value")
    servers.postgres.kill()
    servers.postgres.start()
    reconnected = await asyncpg.connect(asyncpg_dsn(servers.database_url))
    assert (servers.database_url, await reconnected.fetchval("SELECT value FROM marker")) == (url, 7)
    await reconnected.close()
    connection.terminate()
