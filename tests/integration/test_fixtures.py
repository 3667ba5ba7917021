"""The fixtures of conftest: fresh databases and topics on the session's servers."""

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from tests.support.servers.databases import asyncpg_dsn
from tests.support.servers.topics import Topics


async def test_a_fresh_database_is_empty(database_url: str) -> None:
    connection = await asyncpg.connect(asyncpg_dsn(database_url))
    tables = await connection.fetchval("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    await connection.execute("CREATE TABLE mark (id int)")
    await connection.close()
    assert tables == 0


async def test_a_record_goes_through_a_fresh_topic(bootstrap_servers: str, topics: Topics, topic_prefix: str) -> None:
    await topics.create(f"{topic_prefix}a", partitions=3)
    async with AIOKafkaProducer(bootstrap_servers=bootstrap_servers) as producer:
        sent = await producer.send_and_wait(f"{topic_prefix}a", b"value", key=b"key", timestamp_ms=1)
    assert sent.timestamp_type == 1, "the broker's own time, not the sender's"
    consumer = AIOKafkaConsumer(
        f"{topic_prefix}a", bootstrap_servers=bootstrap_servers, group_id=topic_prefix, auto_offset_reset="earliest"
    )
    async with consumer:
        record = await consumer.getone()
    assert (record.key, record.value) == (b"key", b"value")
