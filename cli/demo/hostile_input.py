"""What goes wrong on purpose during the demo: none of it may stop, lose or repeat anything else."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import orjson

from cli.demo.month_plan import DAYS, START
from cli.demo.sender import DemoSender
from shared.contracts.envelope import CloudEventRecord
from shared.contracts.topics import CASE_ACTIONS, COMPLAINT_SUBMISSIONS
from shared.runtime.clock import uuid7

VALID_SUBMISSION = {"received_at": "2026-09-20T10:00:00+08:00", "channel": "hotline", "text": "测试投诉"}
INVALID_SUBMISSIONS: tuple[tuple[str, Any, int], ...] = (
    ("no text", {"received_at": VALID_SUBMISSION["received_at"], "channel": "hotline"}, 422),
    ("no time of receipt", {"channel": "hotline", "text": "没有时间"}, 422),
    ("blank text", {**VALID_SUBMISSION, "text": "   "}, 422),
    ("unknown channel", {**VALID_SUBMISSION, "channel": "pigeon"}, 422),
    ("misspelt field", {**VALID_SUBMISSION, "txet": "错字"}, 422),
    ("time without an offset", {**VALID_SUBMISSION, "received_at": "2026-09-20T10:00:00"}, 422),
    ("a channel that is not the source's", {**VALID_SUBMISSION, "channel": "regulator"}, 403),
)
"""What is wrong, the body, and the answer that it has to get."""


async def send_hostile_input(sender: DemoSender) -> list[str]:
    """Send it all, spread over the month; gives the answers that were not as they have to be."""
    wrong: list[str] = []
    for number, (what, body, expected) in enumerate(INVALID_SUBMISSIONS):
        await _wait_for_day(sender, number + 1)
        status = await _post(sender, orjson.dumps(body))
        sender.counts["received"] += 1
        sender.counts["refused"] += 1
        if status != expected:
            wrong.append(f"{what}: answered {status} instead of {expected}")
    await _wait_for_day(sender, 10)
    for what, content, key, expected in (
        ("broken JSON", b'{"text": "\xff', None, 400),
        ("a key that nobody holds", orjson.dumps(VALID_SUBMISSION), "nobody's key", 401),
        ("two megabytes", orjson.dumps({**VALID_SUBMISSION, "text": "长" * 700_000}), None, 413),
    ):
        status = await _post(sender, content, key)
        sender.counts["received"] += 1
        sender.counts["refused"] += 1
        if status != expected:
            wrong.append(f"{what}: answered {status} instead of {expected}")
    await _send_broken_records(sender)
    return wrong


async def _send_broken_records(sender: DemoSender) -> None:
    """Broken records on Kafka: each becomes a dead letter, its neighbours do not notice."""
    await _wait_for_day(sender, 13)
    topic = COMPLAINT_SUBMISSIONS

    def headers(kind: str = "submission", source: str = "property-hotline") -> list[tuple[str, bytes | None]]:
        message = CloudEventRecord(topic=topic.name, key="x", id=uuid7(), type=kind, at=sender.clock.now(), body=b"", source=source)
        return [(name, value) for name, value in message.kafka_headers()]

    await sender.send_raw(topic, b"broken-1", b"{not json", headers())
    await sender.send_raw(topic, b"broken-2", orjson.dumps(VALID_SUBMISSION), [*headers()[:3], ("ce_source", None)])
    await sender.send_raw(topic, b"broken-3", orjson.dumps(VALID_SUBMISSION), headers(source="no-such-source"))
    await sender.send_raw(topic, b"broken-4", b"\xff\xfe\x00", headers(kind="nonsense"))
    forged = CloudEventRecord(
        topic=CASE_ACTIONS.name, key="case", id=uuid7(), type="action", at=sender.clock.now(), body=b"", source="nobody"
    )
    body = orjson.dumps({"case": "case", "action": "close"})
    await sender.send_raw(CASE_ACTIONS, b"case", body, [(name, value) for name, value in forged.kafka_headers()])
    sender.counts["broken_records"] += 5


async def _wait_for_day(sender: DemoSender, day: int) -> None:
    wait = sender.clock.seconds_until(START + timedelta(days=min(day, DAYS), hours=2))
    await asyncio.sleep(max(0.0, wait))


async def _post(sender: DemoSender, content: bytes, key: str | None = None) -> int:
    token = key or sender.secrets["sources"]["property-hotline"]["api_key"]
    headers = {"Authorization": f"Bearer {token}", "content-type": "application/json"}
    answer = await sender.http.post(f"{sender.stack.url('intake')}/v1/complaints", content=content, headers=headers)
    return answer.status_code
