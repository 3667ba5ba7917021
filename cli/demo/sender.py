"""Sends the month plan: submissions by HTTP and Kafka, actions by HTTP with a token or by Kafka with a signature."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import yaml
from aiokafka import AIOKafkaProducer

from cli.demo.demo_files import SECRETS_FILE
from cli.demo.month_plan import MonthPlan, ScriptedSubmission
from cli.demo.staff import ScriptedAction
from cli.stack.stack import Stack
from shared.contracts.envelope import KEY_ID_HEADER, SIGNATURE_HEADER, CloudEventRecord
from shared.contracts.topics import CASE_ACTIONS, COMPLAINT_SUBMISSIONS, Topic
from shared.runtime.clock import Clock, uuid7
from shared.runtime.kafka.connection import options_for
from shared.runtime.kafka.signing import sign

MAX_ATTEMPTS = 40
_RETRIED_STATUSES = frozenset({404, 429, 503})
"""404: the case is on its way from intake to sla; 429 and 503: the service is busy or not ready."""


@dataclass
class DemoSender:
    """Sends each item at its instant of the scaled clock; `counts` counts answers, `accepted` holds the cases that intake accepted."""

    stack: Stack
    clock: Clock
    prefix: str
    counts: Counter[str] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)
    accepted_by_transport: Counter[str] = field(default_factory=Counter)
    unanswered: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.secrets: dict[str, Any] = yaml.safe_load(SECRETS_FILE.read_text(encoding="utf-8"))

    async def run(self, plan: MonthPlan, run_alongside: Callable[[DemoSender], Coroutine[Any, Any, list[str]]]) -> list[str]:
        """Send the whole plan and wait for the last answer; returns what `run_alongside` returns."""
        items: list[ScriptedSubmission | ScriptedAction] = [*plan.submissions, *plan.actions]
        async with httpx.AsyncClient(timeout=30) as self.http:
            self.producer = AIOKafkaProducer(**options_for(self.stack.environment["KAFKA_BOOTSTRAP_SERVERS"]))
            await self.producer.start()
            try:
                async with asyncio.TaskGroup() as group:
                    alongside = group.create_task(run_alongside(self))
                    for item in sorted(items, key=lambda item: item.at):
                        await asyncio.sleep(max(0.0, self.clock.seconds_until(item.at)))
                        group.create_task(self._submit(item) if isinstance(item, ScriptedSubmission) else self._send_action(item))
            finally:
                await self.producer.stop()
        return alongside.result()

    def accept(self, transport: str, *cases: str) -> None:
        """Note cases that intake accepted; one that is sent again counts for its first transport alone."""
        new_cases = set(cases) - self.accepted
        self.accepted_by_transport[transport] += len(new_cases)
        self.accepted |= new_cases

    async def _submit(self, submission: ScriptedSubmission) -> None:
        self.counts["received"] += 1
        self.counts["resent"] += submission.resend
        body, source = submission.body, submission.source
        if submission.transport == "kafka":
            # The key is the source's reference, since a submission has no case yet.
            await self._send_record(COMPLAINT_SUBMISSIONS, body["external_id"], "submission", body, source)
            self.accept("kafka", submission.case)
            return
        url = self.stack.url("intake") + ("/v1/complaints" if submission.transport == "http" else "/v1/complaints:batch")
        headers = {"Authorization": f"Bearer {self.secrets['sources'][source]['api_key']}"}
        answer = await self.post(url, body if submission.transport == "http" else {"complaints": [body]}, headers)
        if answer is not None and answer.is_success:
            self.accept(submission.transport, submission.case)
        else:
            self.counts["refused"] += 1

    async def _send_action(self, scripted: ScriptedAction) -> None:
        self.counts["actions"] += 1
        action = {"action": scripted.action, "role": scripted.role, "data": scripted.data}
        if scripted.transport == "kafka":
            await self._send_record(CASE_ACTIONS, scripted.case, "action", {"case": scripted.case, **action}, scripted.person)
            return
        url = f"{self.stack.url('sla')}/v1/cases/{scripted.case}/actions"
        answer = await self.post(url, action, {"Authorization": f"Bearer {self.secrets['people'][scripted.person]['token']}"})
        if answer is not None:
            self.counts[f"actions_{answer.status_code}"] += 1

    async def post(self, url: str, body: Any, headers: Mapping[str, str]) -> httpx.Response | None:
        """Post until there is an answer that another attempt would not change; None, noted in `unanswered`, after `MAX_ATTEMPTS`."""
        for attempt in range(MAX_ATTEMPTS):
            try:
                answer = await self.http.post(url, content=orjson.dumps(body), headers={"content-type": "application/json", **headers})
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code not in _RETRIED_STATUSES:
                return answer
            await asyncio.sleep(0.05 * (attempt + 1))
        self.unanswered.append(url)
        return None

    async def _send_record(self, topic: Topic, key: str, record_type: str, body: Any, sender: str) -> None:
        """Send a record of a source or person, signed where the demo has a key of theirs."""
        content, event_id = orjson.dumps(body), uuid7()
        secret = self.secrets["sources"].get(sender) or self.secrets["people"].get(sender) or {}
        record = CloudEventRecord(
            topic=topic.name, key=key, id=event_id, type=record_type, at=self.clock.now(), body=content, source=sender
        )
        headers = record.kafka_headers()
        if "private" in secret:
            signature = sign(base64.b64decode(secret["private"]), topic.name, key, event_id, content)
            headers += [(KEY_ID_HEADER, secret["key_id"].encode()), (SIGNATURE_HEADER, signature.encode())]
        await self.send_raw(topic, key.encode(), content, headers)

    async def send_raw(self, topic: Topic, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes | None]]) -> None:
        """Send a record as it is, valid or not."""
        await self.producer.send_and_wait(f"{self.prefix}{topic.name}", value, key=key, headers=list(headers))
