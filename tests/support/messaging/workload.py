"""Submits complaints and takes actions under the demo's organisation, by Kafka and HTTP; retries until each one is accepted."""

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
from aiokafka.errors import KafkaError

from cli.stack.stack import Stack
from services.intake.domain.submission import case_id
from shared.contracts.envelope import CloudEventRecord
from shared.contracts.topics import CASE_ACTIONS, COMPLAINT_SUBMISSIONS
from shared.runtime.process.settings import RuntimeSettings
from tests.support.messaging.cloud_events import cloud_event, signature_headers
from tests.support.messaging.topic_client import TopicClient, open_topic_client
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
"""The actions on a complaint, from the first answer to closing: person, role, action, data."""
_RETRIED_STATUSES = frozenset({404, 429, 500, 502, 503, 504})


def utc_now() -> datetime:
    """The real instant."""
    return datetime.now(UTC)


@dataclass
class WorkloadClient:
    """Sends to one stack; `accepted` holds the ids of submitted cases, `actions` the number of actions sent for each case."""

    stack: Stack
    topic_client: TopicClient
    http: httpx.AsyncClient
    timeout: float = 240.0
    accepted: set[str] = field(default_factory=set)
    actions: Counter[str] = field(default_factory=Counter)
    secrets: dict[str, Any] = field(default_factory=dict)
    now: Callable[[], datetime] = utc_now

    async def submit_by_kafka(self, number: int, source: str = "property-hotline") -> str:
        """Send one submission as a record; returns the case's id."""
        body = submission(number, self.now())
        await self._publish(submission_record(body, source))
        return self.note_accepted(source, body)

    async def submit_by_http(self, number: int, source: str = "property-hotline") -> str:
        """Send one submission by HTTP; returns the case's id."""
        body = submission(number, self.now())
        key = self.secrets["sources"][source]["api_key"]
        await self._post(f"{self.stack.url('intake')}/v1/complaints", orjson.dumps(body), {"Authorization": f"Bearer {key}"})
        return self.note_accepted(source, body)

    async def send_step(self, case: str, step: int, *, http: bool = False) -> None:
        """Send one action of HANDLING_STEPS: signed as a record, or with a bearer token by HTTP."""
        person, role, action, data = HANDLING_STEPS[step]
        secret = self.secrets["people"][person]
        request = {"action": action, "role": role, "data": data}
        if http:
            headers = {"Authorization": f"Bearer {secret['token']}", "Idempotency-Key": f"{step}-{action}"}
            await self._post(f"{self.stack.url('sla')}/v1/cases/{case}/actions", orjson.dumps(request), headers)
        else:
            record = cloud_event(CASE_ACTIONS, case, "action", {"case": case, **request}, person)
            await self._publish(record, signature_headers(base64.b64decode(secret["private"]), secret["key_id"], record))
        self.actions[case] += 1

    def note_accepted(self, source: str, body: dict[str, Any]) -> str:
        """Record a submission as accepted; returns the case's id, which follows from source, channel and external id."""
        case = case_id(source, body["channel"], body["external_id"])
        self.accepted.add(case)
        return case

    async def _publish(self, record: CloudEventRecord, more_headers: Sequence[tuple[str, bytes]] = ()) -> None:
        """Publish a record, and again under the same id while the broker is unavailable."""
        end = time.monotonic() + self.timeout
        while True:
            try:
                async with asyncio.timeout(10):
                    await self.topic_client.publish(record, more_headers)
            except (KafkaError, TimeoutError):
                if time.monotonic() > end:
                    raise
            else:
                return

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> None:
        """Post a request, and again after a connection error or a status in _RETRIED_STATUSES."""
        end = time.monotonic() + self.timeout
        while True:
            try:
                response = await self.http.post(url, content=body, headers={"Content-Type": "application/json", **headers})
            except httpx.TransportError:
                response = None
            # 409 with Retry-After: the first request under this key, whose answer was lost in a kill, is still being done.
            asks_to_wait = response is not None and "Retry-After" in response.headers
            if response is not None and response.status_code not in _RETRIED_STATUSES and not asks_to_wait:
                assert response.is_success, f"{url}: {response.status_code} {response.text}"
                return
            assert time.monotonic() < end, f"{url} did not answer within {self.timeout} s"
            await asyncio.sleep(0.2)


def submission(number: int, now: datetime) -> dict[str, Any]:
    """The body of a submission from the demo's hotline, received less than an hour before `now`."""
    return {
        "external_id": f"L-{number:07}",
        "received_at": (now - timedelta(minutes=number % 50)).isoformat(),
        "channel": "hotline",
        "title": "投诉",
        "text": f"{TEXTS[number % len(TEXTS)]}（第{number}件）",
        "complainant": {"name": "王先生", "phone": f"138{number % 100_000_000:08}"},
    }


def submission_record(body: dict[str, Any], source: str) -> CloudEventRecord:
    """The record of a submission."""
    return cloud_event(COMPLAINT_SUBMISSIONS, body["external_id"], "submission", body, source)


@asynccontextmanager
async def workload_client(
    stack: Stack, organisation: Path = ORGANISATION, now: Callable[[], datetime] = utc_now
) -> AsyncIterator[WorkloadClient]:
    """A client for the length of a block; `now` is the clock of its submissions."""
    servers, prefix = stack.environment["KAFKA_BOOTSTRAP_SERVERS"], stack.environment.get("JIESU_TOPIC_PREFIX", "")
    settings = RuntimeSettings(environment="test", kafka_bootstrap_servers=servers, topic_prefix=prefix)
    secrets = yaml.safe_load((organisation.parent / "secrets.yaml").read_text(encoding="utf-8"))
    async with open_topic_client(settings, acks="all", linger_ms=5) as topic_client, httpx.AsyncClient(timeout=20) as http:
        yield WorkloadClient(stack, topic_client, http, secrets=secrets, now=now)
