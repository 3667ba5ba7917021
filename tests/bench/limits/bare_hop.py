"""One hop with bare aiokafka: consume a batch, decode JSON, produce, commit the offsets. No database, no decision.

`python -m tests.bench.limits.bare_hop HOP SHAPE`, with KAFKA_BOOTSTRAP_SERVERS and JIESU_TOPIC_PREFIX in the environment.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from shared.contracts.envelope import CE_TYPE
from shared.runtime.clock import uuid7
from shared.runtime.kafka.producer import Producer, ProducerRecord
from tests.bench.limits.hops import Hop, RecordShape, hop_of_command_line

_BATCH = 1000


class BareHop:
    """Sends the records of a hop for each complaint that it reads."""

    def __init__(self, hop: Hop, shape: RecordShape, prefix: str) -> None:
        self._templates = [(f"{prefix}{template.topic}", template.type.encode(), template.body) for template in shape.sent_by(hop)]
        self._cause = shape.cause(hop).encode()
        self._opens = hop.service == "intake"
        self._types = {
            f"{prefix}{topic.name}": {name.encode() for name in hop.event_types[topic.name]}
            for topic in hop.reads
            if topic.name in hop.event_types
        }

    def outputs(self, record: ConsumerRecord) -> Iterator[ProducerRecord]:
        """Decode a record and write the records that follow from it."""
        event_type = dict(record.headers)[CE_TYPE]
        types = self._types.get(record.topic)
        if types is not None and event_type not in types:
            return
        event = orjson.loads(record.value)
        if event_type != self._cause:
            return
        case = uuid7() if self._opens else event["case"]
        for topic, name, body in self._templates:
            yield topic, case.encode(), orjson.dumps({**body, "case": case}), [(CE_TYPE, name)]


async def run(hop: Hop, shape: RecordShape) -> None:
    """Consume and produce until SIGTERM."""
    servers, prefix = os.environ["KAFKA_BOOTSTRAP_SERVERS"], os.environ["JIESU_TOPIC_PREFIX"]
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    bare = BareHop(hop, shape, prefix)
    producer = Producer({"bootstrap_servers": servers}, timeout=30.0)
    consumer = AIOKafkaConsumer(
        *(f"{prefix}{topic.name}" for topic in hop.reads),
        bootstrap_servers=servers,
        group_id=f"{prefix}{hop.service}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    while not stop.is_set():
        batches = await consumer.getmany(timeout_ms=500, max_records=_BATCH)
        if records := [record for batch in batches.values() for record in batch]:
            if sent := [output for record in records for output in bare.outputs(record)]:
                await producer.send(sent)
            await consumer.commit()
    await consumer.stop()
    await producer.close()


if __name__ == "__main__":
    uvloop.run(run(*hop_of_command_line()))
