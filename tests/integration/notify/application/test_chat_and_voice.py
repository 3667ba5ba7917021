"""Messages that the organisation also posts into groups and reads out by phone, from the request to the acknowledged call."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.notify import api_receipts
from services.notify.config import NotifySettings
from shared.runtime.database.database import Database
from shared.runtime.http.problem import add_problem_handlers
from tests.integration.notify.notify_process import NotifyProcess, notification_request, outcomes
from tests.support.gateways.robot_gateways import KEY, DingtalkGateway
from tests.support.gateways.robot_gateways import SECRET as ROBOT_SECRET
from tests.support.provider_peers.call_out import SECRET as CALLS_SECRET
from tests.support.provider_peers.call_out import CallOutSystem, signed

ORGANISATION = """
id: demo
departments:
  - {id: group, zh: 集团, en: Group, chat: ops}
  - {id: engineering, zh: 工程部, en: Engineering, parent: group}
people:
  - {id: li, name: 李四, department: engineering, phone: "13800000001", email: li@example.com}
  - {id: he, name: 何七, department: engineering}
also_by:
  - {channel: voice, procedures: [greentown-qd1001], clauses: ["4.6"]}
  - {channel: chat, urgent: true}
"""
PROVIDERS = """
providers:
  - {id: ops, channel: chat, kind: dingtalk, timeout: 5, settings: {url_env: OPS_URL, secret_env: OPS_SECRET}}
  - {id: board, channel: chat, kind: dingtalk, weight: 9, timeout: 5, settings: {url_env: OPS_URL, secret_env: OPS_SECRET}}
  - {id: calls, channel: voice, kind: call_out, timeout: 5, settings: {url: "CALLS_URL", secret_env: CALLS_SECRET}}
"""
URGENT: dict[str, Any] = {
    "procedure": "greentown-qd1001",
    "rule": "urgent_owner",
    "clause": "4.6",
    "persons": ["li", "he"],
    "by": ["sms"],
    "urgent": True,
}


@pytest.fixture
async def calls(tmp_path: Path) -> AsyncIterator[CallOutSystem]:
    async with CallOutSystem(tmp_path / "calls") as system:
        yield system


@pytest.fixture
async def group(tmp_path: Path) -> AsyncIterator[DingtalkGateway]:
    async with DingtalkGateway(tmp_path / "group") as gateway:
        yield gateway


@pytest.fixture
async def process(
    settings: NotifySettings,
    database: Database,
    calls: CallOutSystem,
    group: DingtalkGateway,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> AsyncIterator[NotifyProcess]:
    monkeypatch.setenv("OPS_URL", f"{group.url}{group.path}?access_token={KEY}")
    monkeypatch.setenv("OPS_SECRET", ROBOT_SECRET)
    monkeypatch.setenv("CALLS_SECRET", CALLS_SECRET)
    settings.organisation.write_text(ORGANISATION, encoding="utf-8")
    file = tmp_path / "providers.yaml"
    file.write_text(PROVIDERS.replace("CALLS_URL", calls.url), encoding="utf-8")
    started = NotifyProcess(settings.model_copy(update={"providers": file}), database)
    yield started
    await started.close()


async def test_urgent_message_is_also_posted_and_read_out_and_the_key_acknowledges_it(
    process: NotifyProcess, calls: CallOutSystem, group: DingtalkGateway
) -> None:
    await process.record_requests(
        notification_request(values={"number": "TS-1", "wording": "请立即签收。", "wording_en": "Sign."}, **URGENT)
    )
    assert await process.run_cycle("chat") == 2, "each person is mentioned in the group of the department above"
    assert await process.run_cycle("voice") == 1, "a person without a phone is reached otherwise"
    assert {tuple(each["to"]) for each in group.message_file.messages.values()} == {("ops", "13800000001"), ("ops",)}
    [call] = calls.message_file.messages.values()
    assert (call["to"], "TS-1" in call["text"], call["language"]) == ("+8613800000001", True, "zh")

    app = FastAPI()
    by_id = {provider_id: each for pool in process.providers for provider_id, each in pool.providers.items()}  # type: ignore[attr-defined]
    api_receipts.add_routes(app, process.receipts, by_id, process.clock)
    add_problem_handlers(app, lambda _problem: None)
    body = json.dumps({"reference": call["reference"], "status": "acknowledged", "digit": "1"}).encode()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notify") as client:
        forged = await client.post("/v1/receipts/calls", content=body, headers=signed(body, "another secret"))
        taken = await client.post("/v1/receipts/calls", content=body, headers=signed(body))
    assert (forged.status_code, taken.status_code) == (401, 200)
    events = [event for event in await process.outbox_events() if event["channel"] == "voice"]
    assert outcomes(events) == [("sent", "li", "voice", 1, ""), ("delivered", "li", "voice", 1, "")]
    assert [event.get("acknowledged") for event in events] == [None, True]
    assert {event["provider"] for event in await process.outbox_events() if event["channel"] == "chat"} == {"ops"}


async def test_other_clauses_and_messages_that_are_not_urgent_go_by_their_own_channels(process: NotifyProcess) -> None:
    await process.record_requests(notification_request(**(URGENT | {"clause": "4.5", "urgent": False})))
    assert {row["channel"] for row in await process.delivery_rows()} == {"sms"}


async def test_group_that_posts_too_fast_is_postponed_and_every_message_arrives_without_an_attempt_lost(
    process: NotifyProcess, group: DingtalkGateway
) -> None:
    await process.record_requests(*(notification_request(f"c{n}", **(URGENT | {"persons": ["li"], "clause": ""})) for n in range(23)))
    assert await process.run_cycle("chat") == 23
    assert len(group.message_file.messages) == 20
    waiting = [row for row in await process.delivery_rows() if row["channel"] == "chat" and row["status"] == "pending"]
    assert [(row["attempts"], row["reason"]) for row in waiting] == [(0, "busy")] * 3
    assert len(group.requests) == 20, "the robot was never asked beyond its limit"
