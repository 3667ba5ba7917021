"""What goes wrong on purpose during the demo: none of it may stop, lose or repeat anything else."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import orjson

from cli.demo.month_plan import DAYS, START
from cli.demo.sender import Sender
from shared.contracts.envelope import Message
from shared.contracts.topics import CASE_ACTIONS, COMPLAINT_SUBMISSIONS
from shared.runtime.clock import uuid7

GOOD = {"received_at": "2026-09-20T10:00:00+08:00", "channel": "hotline", "text": "测试投诉"}
BODIES: tuple[tuple[str, Any, int], ...] = (
    ("no text", {"received_at": GOOD["received_at"], "channel": "hotline"}, 422),
    ("no time of receipt", {"channel": "hotline", "text": "没有时间"}, 422),
    ("blank text", {**GOOD, "text": "   "}, 422),
    ("unknown channel", {**GOOD, "channel": "pigeon"}, 422),
    ("misspelt field", {**GOOD, "txet": "错字"}, 422),
    ("time without an offset", {**GOOD, "received_at": "2026-09-20T10:00:00"}, 422),
    ("a channel that is not the source's", {**GOOD, "channel": "regulator"}, 403),
)
"""What is wrong, the body, and the answer that it has to get."""


async def send(sender: Sender) -> list[str]:
    """Send it all, spread over the month; gives the answers that were not as they have to be."""
    wrong: list[str] = []
    for number, (what, body, expected) in enumerate(BODIES):
        await _at(sender, number + 1)
        status = await _post(sender, orjson.dumps(body))
        sender.tally["received"] += 1
        sender.tally["refused"] += 1
        if status != expected:
            wrong.append(f"{what}: answered {status} instead of {expected}")
    await _at(sender, 10)
    for what, content, key, expected in (
        ("broken JSON", b'{"text": "\xff', None, 400),
        ("a key that nobody holds", orjson.dumps(GOOD), "nobody's key", 401),
        ("two megabytes", orjson.dumps({**GOOD, "text": "长" * 700_000}), None, 413),
    ):
        status = await _post(sender, content, key)
        sender.tally["received"] += 1
        sender.tally["refused"] += 1
        if status != expected:
            wrong.append(f"{what}: answered {status} instead of {expected}")
    await _records(sender)
    return wrong


async def _records(sender: Sender) -> None:
    """Broken records on Kafka: each becomes a dead letter, its neighbours do not notice."""
    await _at(sender, 13)
    topic = COMPLAINT_SUBMISSIONS

    def headers(kind: str = "submission", source: str = "property-hotline") -> list[tuple[str, bytes | None]]:
        message = Message(topic.name, "x", uuid7(), kind, sender.clock.now(), b"", source)
        return [(name, value) for name, value in message.headers()]

    await sender.raw(topic, b"broken-1", b"{not json", headers())
    await sender.raw(topic, b"broken-2", orjson.dumps(GOOD), [*headers()[:3], ("ce_source", None)])
    await sender.raw(topic, b"broken-3", orjson.dumps(GOOD), headers(source="no-such-source"))
    await sender.raw(topic, b"broken-4", b"\xff\xfe\x00", headers(kind="nonsense"))
    forged = Message(CASE_ACTIONS.name, "case", uuid7(), "action", sender.clock.now(), b"", "nobody")
    body = orjson.dumps({"case": "case", "action": "close"})
    await sender.raw(CASE_ACTIONS, b"case", body, [(name, value) for name, value in forged.headers()])
    sender.tally["broken_records"] += 5


async def _at(sender: Sender, day: int) -> None:
    wait = sender.clock.seconds_until(START + timedelta(days=min(day, DAYS), hours=2))
    await asyncio.sleep(max(0.0, wait))


async def _post(sender: Sender, content: bytes, key: str | None = None) -> int:
    token = key or sender._secrets["sources"]["property-hotline"]["api_key"]  # noqa: SLF001
    headers = {"Authorization": f"Bearer {token}", "content-type": "application/json"}
    answer = await sender.http.post(f"{sender.stack.url('intake')}/v1/complaints", content=content, headers=headers)
    return answer.status_code
