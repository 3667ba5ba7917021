"""Acts on a case with a signed record."""

import asyncio
import os

from jiesu_client import SigningKey
from jiesu_client.producers import ActionProducer


async def main() -> None:
    """The environment holds KAFKA_BOOTSTRAP_SERVERS, PERSON, KEY_ID, PRIVATE_KEY and CASE."""
    key = SigningKey(os.environ["KEY_ID"], os.environ["PRIVATE_KEY"])
    async with ActionProducer(os.environ["KAFKA_BOOTSTRAP_SERVERS"], os.environ["PERSON"], key) as producer:
        print("sent", await producer.act(os.environ["CASE"], "start_work", {"text": "已派员"}, role="handler"), flush=True)


asyncio.run(main())
