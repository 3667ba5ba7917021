"""Hostile records and requests beside the honest load; what they cause is known by its case, its source or its mark."""

from __future__ import annotations

import asyncio
import base64
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

import httpx
from aiokafka.errors import KafkaError

from cli.service_names import SERVICES
from shared.contracts.topics import COMPLAINT_SUBMISSIONS
from tests.support.messaging.hostile_records import HOSTILE_PREFIX, READ_TOPICS, RawMessage, SigningKey, hostile_records
from tests.support.messaging.hostile_requests import hostile_requests
from tests.support.messaging.workload import WorkloadClient

SOURCE = "homes-service"
"""No honest complaint comes from it."""
MARK = "hostile"
"""The header of every hostile record."""
SIGNER = "guo-qiang"
"""Signs no honest action: of a sender of many bad records everything is set aside."""
TOPICS = (COMPLAINT_SUBMISSIONS, *READ_TOPICS)
ROUND_SECONDS = 0.5
"""Between two rounds, each of a record to every topic and one request."""
_ROUNDS_OF_A_STREAM = 50
_KNOWN = range(1_000_000, 1_000_004)
"""Numbers of the complaints whose cases the requests name."""
_SEND_SECONDS = 5.0
_PROCEDURE = "hunan-property"


def is_hostile(case: str) -> bool:
    """Whether a case, or the key of a record, comes from hostile records alone."""
    return case.startswith((HOSTILE_PREFIX, "k" * 500)) or case in ("", "other", "\ufffd\x00")


@dataclass
class HostileLoad:
    """Counts acknowledged records by topic, answers by status, and requests without an answer by error."""

    client: WorkloadClient
    seed: int
    records: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    unanswered: Counter[str] = field(default_factory=Counter)
    known: list[str] = field(default_factory=list)
    """Cases that the requests name."""

    async def send(self, over: asyncio.Event) -> None:
        """Send until `over` is set."""
        self.known = [await self.client.submit_by_http(number, SOURCE) for number in _KNOWN]
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send_records(over))
            group.create_task(self._send_requests(over))

    async def _send_records(self, over: asyncio.Event) -> None:
        secret = self.client.secrets["people"][SIGNER]
        key = SigningKey(secret["key_id"], base64.b64decode(secret["private"]))
        for turn in count():
            accepted = sorted(self.client.accepted)
            honest = tuple(random.Random(turn).sample(accepted, min(len(accepted), 20)))
            streams = [
                hostile_records(topic, _ROUNDS_OF_A_STREAM, self.seed + turn, key, _PROCEDURE, honest, self.client.now, SOURCE)
                for topic in TOPICS
            ]
            for messages in zip(*streams, strict=True):
                if over.is_set():
                    return
                await asyncio.gather(*map(self._send_record, messages))
                await asyncio.sleep(ROUND_SECONDS)

    async def _send_record(self, message: RawMessage) -> None:
        headers = [*message.headers, (MARK, b"1")]
        # While the broker is down it is not sent again: another one follows.
        with suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(_SEND_SECONDS):
                await self.client.topic_client.send(message.topic, message.key, message.value, headers)
            self.records[message.topic] += 1

    async def _send_requests(self, over: asyncio.Event) -> None:
        urls = {service: self.client.stack.url(service) for service in SERVICES if service != "desk"}
        people = [secret["token"] for secret in self.client.secrets["people"].values()]
        tokens: dict[str, Sequence[str]] = dict.fromkeys(urls, people)
        tokens["intake"] = [self.client.secrets["sources"][SOURCE]["api_key"]]
        for turn in count():
            for request in hostile_requests(urls, tokens, _ROUNDS_OF_A_STREAM, self.seed + turn, self.known):
                if over.is_set():
                    return
                try:
                    response = await self.client.http.request(
                        request.method, request.url, content=request.body, headers=request.headers, timeout=_SEND_SECONDS
                    )
                    self.answers[response.status_code] += 1
                except (httpx.TransportError, httpx.InvalidURL) as error:
                    self.unanswered[type(error).__name__] += 1
                await asyncio.sleep(ROUND_SECONDS)
