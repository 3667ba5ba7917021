"""Contact centres and departments of the demo's organisation: they submit and act, and send again until they are answered."""

import asyncio
import base64
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import yaml
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from cli.stack.stack import Stack
from services.intake.domain.submission import case_id
from shared.contracts.envelope import KEY_ID_HEADER, SIGNATURE_HEADER, CloudEventRecord
from shared.contracts.topics import CASE_ACTIONS, COMPLAINT_SUBMISSIONS, Topic
from shared.runtime.clock import uuid7
from shared.runtime.kafka.signing import sign
from tests.support.repository import PROJECT

ORGANISATION = PROJECT / "deploy/demo/organisation.yaml"
TEXTS = (
    "三号楼电梯停运，老人上不了楼。",
    "小区停车位被长期占用，多次反映没有结果。",
    "垃圾三天没有清运，楼道里有异味。",
    "管家电话打不通，物业费收了也没有公告。",
)
HANDLING_STEPS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("luo-dan", "assistant", "answer", {"text": "已收到，马上核实。"}),
    ("luo-dan", "assistant", "start_work", {}),
    ("he-jing", "supervisor", "submit_measures", {"text": "已制定整改措施。"}),
    ("luo-dan", "assistant", "contact", {"text": "已与业主沟通。"}),
    ("luo-dan", "assistant", "handle", {}),
    ("he-jing", "supervisor", "call_back", {"outcome": "satisfied"}),
    ("he-jing", "supervisor", "close", {}),
)
"""What the people do about a complaint, from the first answer to the end: person, role, action, data."""
_RETRIED_STATUSES = frozenset({404, 429, 500, 502, 503, 504})


def utc_now() -> datetime:
    """The real instant."""
    return datetime.now(UTC)


@dataclass
class WorkloadClient:
    """Sends through one stack; `accepted` are the cases taken in, `actions` how many actions each of them was sent."""

    stack: Stack
    prefix: str
    producer: AIOKafkaProducer
    http: httpx.AsyncClient
    timeout: float = 240.0
    accepted: set[str] = field(default_factory=set)
    actions: Counter[str] = field(default_factory=Counter)
    secrets: dict[str, Any] = field(default_factory=dict)
    now: Callable[[], datetime] = utc_now

    async def submit_by_kafka(self, number: int, source: str = "property-hotline") -> str:
        """One submission as a record; gives the case's id."""
        body = submission(number, self.now())
        await self._send_record(COMPLAINT_SUBMISSIONS, body["external_id"], "submission", orjson.dumps(body), source)
        return self.note_accepted(source, body)

    async def submit_by_http(self, number: int, source: str = "property-hotline") -> str:
        """One submission by HTTP."""
        body = submission(number, self.now())
        key = self.secrets["sources"][source]["api_key"]
        await self._post(f"{self.stack.url('intake')}/v1/complaints", orjson.dumps(body), {"Authorization": f"Bearer {key}"})
        return self.note_accepted(source, body)

    async def send_step(self, case: str, step: int, *, http: bool = False) -> None:
        """One step of `ACTS`, signed as a record, or with a token by HTTP."""
        person, role, action, data = HANDLING_STEPS[step]
        secret = self.secrets["people"][person]
        asked = {"action": action, "role": role, "data": data}
        if http:
            headers = {"Authorization": f"Bearer {secret['token']}", "Idempotency-Key": f"{step}-{action}"}
            await self._post(f"{self.stack.url('sla')}/v1/cases/{case}/actions", orjson.dumps(asked), headers)
        else:
            body, event_id = orjson.dumps({"case": case, **asked}), uuid7()
            signature = sign(base64.b64decode(secret["private"]), CASE_ACTIONS.name, case, event_id, body)
            signed = [(KEY_ID_HEADER, secret["key_id"].encode()), (SIGNATURE_HEADER, signature.encode())]
            await self._send_record(CASE_ACTIONS, case, "action", body, person, event_id, signed)
        self.actions[case] += 1

    def note_accepted(self, source: str, body: dict[str, Any]) -> str:
        """Note a submission; gives the case's id, which follows from what the source calls it."""
        case = case_id(source, body["channel"], body["external_id"])
        self.accepted.add(case)
        return case

    async def _send_record(
        self,
        topic: Topic,
        key: str,
        kind: str,
        body: bytes,
        source: str,
        event_id: str | None = None,
        more: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """One record; while the broker is away it is sent again under the same id."""
        headers = CloudEventRecord(
            topic=topic.name, key=key, id=event_id or uuid7(), type=kind, at=datetime.now(UTC), body=body, source=source
        ).kafka_headers()
        end = time.monotonic() + self.timeout
        while True:
            try:
                async with asyncio.timeout(10):
                    await self.producer.send_and_wait(f"{self.prefix}{topic.name}", body, key=key.encode(), headers=[*headers, *more])
            except (KafkaError, TimeoutError):
                if time.monotonic() > end:
                    raise
            else:
                return

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> None:
        """One request, sent again until there is an answer that another attempt would not change."""
        end = time.monotonic() + self.timeout
        while True:
            try:
                answer = await self.http.post(url, content=body, headers={"Content-Type": "application/json", **headers})
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code not in _RETRIED_STATUSES:
                assert answer.is_success, f"{url}: {answer.status_code} {answer.text}"
                return
            assert time.monotonic() < end, f"{url} did not answer within {self.timeout} s"
            await asyncio.sleep(0.2)


def submission(number: int, now: datetime) -> dict[str, Any]:
    """A complaint as a contact centre of Yunshan Property sends it, received less than an hour ago."""
    return {
        "external_id": f"L-{number:07}",
        "received_at": (now - timedelta(minutes=number % 50)).isoformat(),
        "channel": "hotline",
        "title": "投诉",
        "text": f"{TEXTS[number % len(TEXTS)]}（第{number}件）",
        "complainant": {"name": "王先生", "phone": f"138{number % 100_000_000:08}"},
    }


@asynccontextmanager
async def workload_client(
    stack: Stack, prefix: str = "", organisation: Path = ORGANISATION, now: Callable[[], datetime] = utc_now
) -> AsyncIterator[WorkloadClient]:
    """Senders for the length of a block; `now` is the clock that they live by."""
    producer = AIOKafkaProducer(bootstrap_servers=stack.environment["KAFKA_BOOTSTRAP_SERVERS"], acks="all", linger_ms=5)
    await producer.start()
    try:
        async with httpx.AsyncClient(timeout=20) as http:
            secrets = yaml.safe_load((organisation.parent / "secrets.yaml").read_text(encoding="utf-8"))
            yield WorkloadClient(stack, prefix, producer, http, secrets=secrets, now=now)
    finally:
        await producer.stop()
