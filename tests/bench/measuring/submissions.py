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
    """Send at `rate` submissions a second, or as fast as the broker accepts them if `rate` is 0; the client notes what was accepted."""
    began = time.monotonic()
    for first in range(0, len(numbers), CHUNK):
        if rate:
            await asyncio.sleep(began + first / rate - time.monotonic())
        for body in await send_chunk(producer, numbers[first : first + CHUNK]):
            senders.note_accepted(SOURCE, body)


async def send_chunk(producer: Producer, numbers: Sequence[int], prefix: str = "") -> list[dict[str, Any]]:
    """Send the submissions of these numbers to the topic with this prefix, and return their bodies."""
    bodies = [submission(number, datetime.now(UTC)) for number in numbers]
    await producer.send([_outgoing(body, prefix) for body in bodies])
    return bodies


def _outgoing(body: dict[str, Any], prefix: str) -> ProducerRecord:
    record = submission_record(body, SOURCE)
    return f"{prefix}{record.topic}", record.key.encode(), record.body, record.kafka_headers()
