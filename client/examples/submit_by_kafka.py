"""Submits a complaint as a signed record."""

import asyncio
import os

from jiesu_client import Complainant, SigningKey, Submission
from jiesu_client.producers import SubmissionProducer


async def main() -> None:
    """The environment holds KAFKA_BOOTSTRAP_SERVERS, SOURCE, KEY_ID and PRIVATE_KEY."""
    key = SigningKey(os.environ["KEY_ID"], os.environ["PRIVATE_KEY"])
    letter = Submission.model_validate(
        {
            "external_id": "letter-2026-0815",
            "received_at": "2026-11-23T09:00:00+08:00",
            "channel": "letter",
            "complainant": Complainant(name="周先生", phone="13800000815"),
            "text": "连续两个月被重复扣费",
        }
    )
    async with SubmissionProducer(os.environ["KAFKA_BOOTSTRAP_SERVERS"], os.environ["SOURCE"], key) as producer:
        await producer.submit(letter)
    print("sent", flush=True)


asyncio.run(main())
