"""Sends submissions to Kafka, at a rate or as fast as the broker accepts them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from shared.runtime.kafka.producer import Producer, ProducerRecord
from tests.support.messaging.workload import WorkloadClient, submission, submission_record

SOURCE = "property-hotline"
CHUNK = 100


async def send_submissions(senders: WorkloadClient, producer: Producer, numbers: Sequence[int], rate: float = 0.0) -> None:
    """Send at `rate` submissions a second, or as fast as the broker accepts them if `rate` is 0."""
    source, began = SOURCE, time.monotonic()
    for first in range(0, len(numbers), CHUNK):
        if rate:
            await asyncio.sleep(began + first / rate - time.monotonic())
        bodies = [submission(number, datetime.now(UTC)) for number in numbers[first : first + CHUNK]]
        await producer.send([_outgoing(body, source) for body in bodies])
        for body in bodies:
            senders.note_accepted(source, body)


def _outgoing(body: dict[str, Any], source: str) -> ProducerRecord:
    record = submission_record(body, source)
    return record.topic, record.key.encode(), record.body, record.kafka_headers()
