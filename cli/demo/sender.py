"""Carries the plan out: submissions by HTTP and Kafka, actions signed or with a token, and the hostile ones among them."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import yaml
from aiokafka import AIOKafkaProducer

from cli.demo.month_plan import MonthPlan, ScriptedSubmission
from cli.demo.staff import ScriptedAction
from cli.stack.stack import Stack
from shared.contracts.envelope import KEY_ID_HEADER, SIGNATURE_HEADER, CloudEventRecord
from shared.contracts.topics import CASE_ACTIONS, COMPLAINT_SUBMISSIONS, Topic
from shared.runtime.clock import Clock, uuid7
from shared.runtime.kafka.signing import sign

SECRETS = Path("deploy/demo/secrets.yaml")
TRIES = 40


@dataclass
class DemoSender:
    """Sends at the right moment of the scaled clock; `tally` counts the answers, `accepted` the cases that intake took on."""

    stack: Stack
    clock: Clock
    prefix: str
    counts: Counter[str] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)
    unanswered: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.secrets: dict[str, Any] = yaml.safe_load(SECRETS.read_text(encoding="utf-8"))

    async def run(self, plan: MonthPlan, run_alongside: Callable[[DemoSender], Coroutine[Any, Any, list[str]]]) -> list[str]:
        """The whole month; ends when the last submission and action has been answered. Gives what `besides` found wrong."""
        async with httpx.AsyncClient(timeout=30) as self.http:
            self.producer = AIOKafkaProducer(bootstrap_servers=self.stack.environment["KAFKA_BOOTSTRAP_SERVERS"])
            await self.producer.start()
            try:
                async with asyncio.TaskGroup() as group:
                    beside = group.create_task(run_alongside(self))
                    items: list[ScriptedSubmission | ScriptedAction] = [*plan.submissions, *plan.actions]
                    for item in sorted(items, key=lambda each: each.at):
                        await self._sleep_until(item.at)
                        group.create_task(self._submit(item) if isinstance(item, ScriptedSubmission) else self._send_action(item))
            finally:
                await self.producer.stop()
        return beside.result()

    async def _sleep_until(self, at: datetime) -> None:
        seconds = self.clock.seconds_until(at)
        if seconds > 0:
            await asyncio.sleep(seconds)

    async def _submit(self, sent: ScriptedSubmission) -> None:
        self.counts["received"] += 1
        if sent.transport == "kafka":
            await self._send_record(COMPLAINT_SUBMISSIONS, sent.body["external_id"], "submission", sent.body, sent.source, sent.source)
            self.accepted.add(sent.case)
            return
        url = self.stack.url("intake") + ("/v1/complaints" if sent.transport == "http" else "/v1/complaints:batch")
        headers = {"Authorization": f"Bearer {self.secrets['sources'][sent.source]['api_key']}"}
        body = sent.body if sent.transport == "http" else {"complaints": [sent.body]}
        answer = await self._post(url, body, headers)
        if answer is not None and answer.is_success:
            self.accepted.add(sent.case)
        else:
            self.counts["refused"] += 1

    async def _send_action(self, act: ScriptedAction) -> None:
        self.counts["actions"] += 1
        secret = self.secrets["people"][act.person]
        if act.transport == "kafka":
            body = {"case": act.case, "action": act.action, "role": act.role, "data": act.data}
            await self._send_record(CASE_ACTIONS, act.case, "action", body, act.person, act.person)
            return
        url = f"{self.stack.url('sla')}/v1/cases/{act.case}/actions"
        answer = await self._post(
            url, {"action": act.action, "role": act.role, "data": act.data}, {"Authorization": f"Bearer {secret['token']}"}
        )
        if answer is not None:
            self.counts[f"actions_{answer.status_code}"] += 1

    async def _post(self, url: str, body: Any, headers: dict[str, str]) -> httpx.Response | None:
        """Ask until there is an answer, as a contact centre's client does: what is not ready yet, or busy, is asked again."""
        for attempt in range(TRIES):
            try:
                answer = await self.http.post(url, content=orjson.dumps(body), headers={"content-type": "application/json", **headers})
            except httpx.TransportError:
                answer = None
            # 404: the case is on its way from intake to sla.
            if answer is not None and answer.status_code not in (404, 429, 503):
                return answer
            await asyncio.sleep(0.05 * (attempt + 1))
        self.unanswered.append(url)
        return None

    async def _send_record(self, topic: Topic, key: str, kind: str, body: Any, source: str, signer: str) -> None:
        content, event_id = orjson.dumps(body), uuid7()
        secret = self.secrets["sources"].get(signer) or self.secrets["people"].get(signer) or {}
        message = CloudEventRecord(topic=topic.name, key=key, id=event_id, type=kind, at=self.clock.now(), body=content, source=source)
        headers = message.kafka_headers()
        if "private" in secret:
            signature = sign(base64.b64decode(secret["private"]), topic.name, key, event_id, content)
            headers += [(KEY_ID_HEADER, secret["key_id"].encode()), (SIGNATURE_HEADER, signature.encode())]
        await self.send_raw(topic, key.encode(), content, headers)

    async def send_raw(self, topic: Topic, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes | None]]) -> None:
        """One record, whatever it looks like."""
        await self.producer.send_and_wait(f"{self.prefix}{topic.name}", value, key=key, headers=list(headers))
