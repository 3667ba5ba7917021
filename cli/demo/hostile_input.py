"""Invalid requests and records that the demo sends on purpose: each is refused or becomes a dead letter, and nothing else is affected."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson

from cli.demo.month_plan import START
from cli.demo.sender import DemoSender
from shared.contracts.envelope import CloudEventRecord
from shared.contracts.topics import CASE_ACTIONS, COMPLAINT_SUBMISSIONS
from shared.runtime.clock import uuid7

VALID_SUBMISSION = {"received_at": "2026-09-20T10:00:00+08:00", "channel": "hotline", "text": "测试投诉"}
_SOURCE = "property-hotline"


@dataclass(frozen=True, slots=True)
class InvalidRequest:
    """A request to intake, the day of the month on which it is sent, and the status with which it must be answered."""

    description: str
    content: bytes
    expected_status: int
    day: int
    api_key: str | None = None


def invalid_requests() -> list[InvalidRequest]:
    """The requests in order of time."""
    bodies: list[tuple[str, dict[str, Any], int]] = [
        ("no text", {"received_at": VALID_SUBMISSION["received_at"], "channel": "hotline"}, 422),
        ("no time of receipt", {"channel": "hotline", "text": "没有时间"}, 422),
        ("blank text", {**VALID_SUBMISSION, "text": "   "}, 422),
        ("unknown channel", {**VALID_SUBMISSION, "channel": "pigeon"}, 422),
        ("misspelt field", {**VALID_SUBMISSION, "txet": "错字"}, 422),
        ("time without an offset", {**VALID_SUBMISSION, "received_at": "2026-09-20T10:00:00"}, 422),
        ("a channel that is not the source's", {**VALID_SUBMISSION, "channel": "regulator"}, 403),
    ]
    requests = [InvalidRequest(name, orjson.dumps(body), status, day) for day, (name, body, status) in enumerate(bodies, 1)]
    too_large = orjson.dumps({**VALID_SUBMISSION, "text": "长" * 700_000})
    return [
        *requests,
        InvalidRequest("broken JSON", b'{"text": "\xff', 400, 10),
        InvalidRequest("an unknown API key", orjson.dumps(VALID_SUBMISSION), 401, 10, "unknown key"),
        InvalidRequest("two megabytes", too_large, 413, 10),
    ]


async def send_hostile_input(sender: DemoSender) -> list[str]:
    """Send it all, spread over the month; returns one line for each answer that is not the expected one."""
    wrong_answers: list[str] = []
    for request in invalid_requests():
        await _wait_for_day(sender, request.day)
        status = await _post(sender, request)
        sender.counts["received"] += 1
        sender.counts["refused"] += 1
        if status != request.expected_status:
            wrong_answers.append(f"{request.description}: answered {status} instead of {request.expected_status}")
    await _wait_for_day(sender, 13)
    await _send_broken_records(sender)
    return wrong_answers


async def _send_broken_records(sender: DemoSender) -> None:
    """Send records each of which becomes a dead letter."""
    topic = COMPLAINT_SUBMISSIONS

    def headers(kind: str = "submission", source: str = _SOURCE) -> list[tuple[str, bytes | None]]:
        record = CloudEventRecord(topic=topic.name, key="x", id=uuid7(), type=kind, at=sender.clock.now(), body=b"", source=source)
        return list(record.kafka_headers())

    await sender.send_raw(topic, b"broken-1", b"{not json", headers())
    # FastStream's own parser drops the whole batch for a null header.
    await sender.send_raw(topic, b"broken-2", orjson.dumps(VALID_SUBMISSION), [*headers()[:3], ("ce_source", None)])
    await sender.send_raw(topic, b"broken-3", orjson.dumps(VALID_SUBMISSION), headers(source="no-such-source"))
    await sender.send_raw(topic, b"broken-4", b"\xff\xfe\x00", headers(kind="nonsense"))
    # Unsigned: an action is accepted only with a valid signature of a known key.
    forged = CloudEventRecord(
        topic=CASE_ACTIONS.name, key="case", id=uuid7(), type="action", at=sender.clock.now(), body=b"", source="nobody"
    )
    await sender.send_raw(CASE_ACTIONS, b"case", orjson.dumps({"case": "case", "action": "close"}), list(forged.kafka_headers()))
    sender.counts["broken_records"] += 5


async def _wait_for_day(sender: DemoSender, day: int) -> None:
    seconds = sender.clock.seconds_until(START + timedelta(days=day, hours=2))
    await asyncio.sleep(max(0.0, seconds))


async def _post(sender: DemoSender, request: InvalidRequest) -> int:
    api_key = request.api_key or sender.secrets["sources"][_SOURCE]["api_key"]
    headers = {"Authorization": f"Bearer {api_key}", "content-type": "application/json"}
    answer = await sender.http.post(f"{sender.stack.url('intake')}/v1/complaints", content=request.content, headers=headers)
    return answer.status_code
