"""The fixtures of conftest: empty databases and new topics on the servers of the session."""

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from tests.support.servers.databases import asyncpg_dsn
from tests.support.servers.topics import Topics


async def test_database_of_a_test_is_empty(database_url: str) -> None:
    connection = await asyncpg.connect(asyncpg_dsn(database_url))
    tables = await connection.fetchval("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    await connection.execute("CREATE TABLE marker (id int)")
    await connection.close()
    assert tables == 0


async def test_topic_of_a_test_delivers_a_record_with_the_time_of_the_broker(
    bootstrap_servers: str, topics: Topics, topic_prefix: str
) -> None:
    await topics.create(f"{topic_prefix}a", partitions=3)
    async with AIOKafkaProducer(bootstrap_servers=bootstrap_servers) as producer:
        sent = await producer.send_and_wait(f"{topic_prefix}a", b"value", key=b"key", timestamp_ms=1)
    assert sent.timestamp_type == 1, "LogAppendTime: the time of the broker, not of the sender"
    consumer = AIOKafkaConsumer(
        f"{topic_prefix}a", bootstrap_servers=bootstrap_servers, group_id=topic_prefix, auto_offset_reset="earliest"
    )
    async with consumer:
        record = await consumer.getone()
    assert (record.key, record.value) == (b"key", b"value")
