"""Calls of other systems: verified as their documents say, mapped, registered once, refused with the reason."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson
import pytest

from services.intake.bootstrap import build
from services.intake.config import IntakeSettings
from shared.contracts import topics
from shared.runtime.errors import Misconfigured
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.service import Service
from tests.integration.intake.conftest import query_rows
from tests.support.messaging.sample_organisation import ENCRYPTION_KEYS, SOURCES, write_organisation
from tests.support.messaging.settings import SettingsFactory
from tests.support.repository import PROJECT

EXAMPLES = PROJECT / "docs/examples/webhooks"
URL = "https://complaints.example.com/v1/webhooks/flex"
SECRETS = {
    "ZENDESK_SIGNING_SECRET": "zendesk-secret",
    "TWILIO_AUTH_TOKEN": "twilio-token",
    "DINGTALK_APP_SECRET": "ding-secret",
}
PLAIN = {"fields": {"text": "message", "received_at": "at", "external_id": "id"}}


@pytest.fixture
async def settings(make_settings: SettingsFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> IntakeSettings:
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)
    maps: dict[str, Any] = {
        "zendesk": str(EXAMPLES / "zendesk.yaml"),
        "flex": str(EXAMPLES / "twilio-taskrouter.yaml"),
        "robot": str(EXAMPLES / "dingtalk-robot.yaml"),
    }
    sources = [{"id": name, "procedure": "procedure.yaml", "webhook": path} for name, path in maps.items()]
    organisation = write_organisation(tmp_path, sources=[*sources, SOURCES[0] | {"webhook": PLAIN}, SOURCES[1]])
    settings = make_settings(IntakeSettings, sealing_keys=ENCRYPTION_KEYS, organisation=organisation)
    await apply_topics(settings, [topics.COMPLAINT_SUBMISSIONS, topics.COMPLAINT_EVENTS])
    return settings


@pytest.fixture
async def other_system(intake: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{intake.http_port}", timeout=30) as client:
        yield client


def signed(secret: str, text: bytes, algorithm: str = "sha256") -> str:
    return base64.b64encode(hmac.digest(secret.encode(), text, getattr(hashlib, algorithm)().name)).decode()


def zendesk_call(now: datetime, **detail: Any) -> tuple[bytes, dict[str, str]]:
    body = orjson.dumps(
        {
            "account_id": 22129848,
            "detail": {
                "id": "5158",
                "created_at": "2026-11-09T01:05:00.254571515Z",
                "subject": "电梯",
                "description": "3号楼电梯停运",
                "requester_id": "8447388090494",
                "via": {"channel": "email"},
            }
            | detail,
            "event": {"meta": {"sequence": {"id": "x", "position": 1, "total": 1}}},
            "id": "2b24ef10",
            "subject": "zen:ticket:5158",
            "time": "2026-11-09T01:05:01Z",
            "type": "zen:event-type:ticket.created",
            "zendesk_event_version": "2022-11-06",
        }
    )
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    signature = signed("zendesk-secret", at.encode() + body)
    return body, {"X-Zendesk-Webhook-Signature": signature, "X-Zendesk-Webhook-Signature-Timestamp": at}


async def complaints(intake: Service) -> list[dict[str, Any]]:
    rows = await query_rows(intake, "SELECT body FROM complaint ORDER BY registered_at")
    return [json.loads(row["body"])["complaint"] for row in rows]


async def test_zendesk_ticket_is_a_case_and_a_retry_is_the_same_one(other_system: httpx.AsyncClient, intake: Service) -> None:
    body, headers = zendesk_call(datetime.now(UTC))
    first = await other_system.post("/v1/webhooks/zendesk", content=body, headers=headers)
    assert first.status_code == 202, first.text
    again = await other_system.post("/v1/webhooks/zendesk", content=body, headers=headers)
    assert (again.json()["status"], again.json()["case"]) == ("duplicate", first.json()["case"])
    [complaint] = await complaints(intake)
    assert (complaint["channel"], complaint["external_id"], complaint["title"]) == ("email", "5158", "电梯")
    assert complaint["received_at"].startswith("2026-11-09T01:05:00")
    assert len(await query_rows(intake, "SELECT 1 FROM raw_copy WHERE channel = 'webhook'")) == 2


async def test_call_that_makes_no_case_is_answered(other_system: httpx.AsyncClient, intake: Service) -> None:
    body = b'{"type": "zen:event-type:ticket.comment_added"}'
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    headers = {"X-Zendesk-Webhook-Signature": signed("zendesk-secret", at.encode() + body), "X-Zendesk-Webhook-Signature-Timestamp": at}
    answer = await other_system.post("/v1/webhooks/zendesk", content=body, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"status": "ignored"})
    assert await complaints(intake) == []


async def test_forged_old_and_unsigned_calls_are_refused_with_the_reason(other_system: httpx.AsyncClient, intake: Service) -> None:
    body, headers = zendesk_call(datetime.now(UTC))
    old_body, old_headers = zendesk_call(datetime.now(UTC) - timedelta(minutes=6))
    calls = [
        (body + b" ", headers, "signature"),
        (old_body, old_headers, "outside_window"),
        (body, {}, "missing"),
        (body, headers | {"X-Zendesk-Webhook-Signature": "%%"}, "encoding"),
        (body, headers | {"X-Zendesk-Webhook-Signature-Timestamp": "yesterday"}, "unreadable"),
    ]
    for content, sent, rule in calls:
        answer = await other_system.post("/v1/webhooks/zendesk", content=content, headers=sent)
        assert (answer.status_code, answer.json()["errors"][0]["rule"]) == (401, rule)
        assert answer.json()["errors"][0]["remedy"]
    assert await query_rows(intake, "SELECT 1 FROM raw_copy UNION ALL SELECT 1 FROM complaint") == []


async def test_ticket_without_text_is_refused_kept_and_counted(other_system: httpx.AsyncClient, intake: Service) -> None:
    body, headers = zendesk_call(datetime.now(UTC), description=None, subject="")
    answer = await other_system.post("/v1/webhooks/zendesk", content=body, headers=headers)
    assert answer.status_code == 422
    assert [(fault["field"], fault["rule"]) for fault in answer.json()["errors"]] == [("text", "missing")]
    [refusal] = await query_rows(intake, "SELECT via, source, reason FROM refusal")
    assert tuple(refusal.values()) == ("webhook", "zendesk", "missing")
    assert len(await query_rows(intake, "SELECT 1 FROM raw_copy")) == 1


async def test_twilio_task_is_a_case(other_system: httpx.AsyncClient, intake: Service) -> None:
    attributes = json.dumps({"type": "call", "from": "+8613800000000", "name": "王先生", "complaint": "3号楼电梯停运"}, ensure_ascii=False)
    form = {
        "EventType": "task.created",
        "AccountSid": "AC1",
        "WorkspaceSid": "WS1",
        "ResourceType": "task",
        "ResourceSid": "WT1",
        "TaskSid": "WT1",
        "TaskAttributes": attributes,
        "Timestamp": "1794186300",
        "EventDescription": "",
    }
    signature = signed("twilio-token", (URL + "".join(name + form[name] for name in sorted(form))).encode(), "sha1")
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    answer = await other_system.post("/v1/webhooks/flex", content=urlencode(form), headers=headers)
    assert answer.status_code == 202, answer.text
    [complaint] = await complaints(intake)
    assert (complaint["channel"], complaint["text"], complaint["complainant"]["phone"]) == ("hotline", "3号楼电梯停运", "138****0000")
    assert datetime.fromisoformat(complaint["received_at"]).timestamp() == 1794186300
    many = await other_system.post("/v1/webhooks/flex", content="a=1&" * 1000 + "a=1", headers=headers)
    assert (many.status_code, many.json()["title"], many.json()["errors"][0]["rule"]) == (400, "the body is malformed", "too_many")
    tampered = await other_system.post("/v1/webhooks/flex", content=urlencode(form | {"TaskSid": "WT2"}), headers=headers)
    assert tampered.status_code == 401


async def test_dingtalk_message_is_a_case(other_system: httpx.AsyncClient, intake: Service) -> None:
    sent_at = int(datetime.now(UTC).timestamp() * 1000)
    body = {
        "conversationId": "cid",
        "msgId": "msg0",
        "senderNick": "杨先生",
        "createAt": sent_at,
        "conversationType": "2",
        "conversationTitle": "1号楼业主群",
        "text": {"content": " 电梯又坏了"},
        "msgtype": "text",
        "senderStaffId": "user123",
    }
    headers = {"timestamp": str(sent_at), "sign": signed("ding-secret", f"{sent_at}\nding-secret".encode())}
    answer = await other_system.post("/v1/webhooks/robot", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    [complaint] = await complaints(intake)
    assert (complaint["channel"], complaint["text"], complaint["place"]) == ("app", "电梯又坏了", "1号楼业主群")
    late = {"timestamp": str(sent_at - 3_700_000), "sign": signed("ding-secret", f"{sent_at - 3_700_000}\nding-secret".encode())}
    assert (await other_system.post("/v1/webhooks/robot", json=body, headers=late)).status_code == 401


async def test_webhook_without_signature_takes_the_sources_api_key_alone(other_system: httpx.AsyncClient) -> None:
    body = {"message": "停水", "at": "2026年11月9日 9时", "id": 17}
    answer = await other_system.post("/v1/webhooks/web", json=body, headers={"Authorization": "Bearer web-key"})
    assert answer.status_code == 202, answer.text
    assert (await other_system.post("/v1/webhooks/web", json=body, headers={"Authorization": "Bearer hotline-key"})).status_code == 403
    assert (await other_system.post("/v1/webhooks/web", json=body)).status_code == 401
    unknown = await other_system.post("/v1/webhooks/hotline", json=body)
    assert (unknown.status_code, unknown.json()["title"], unknown.json()["errors"][0]["field"]) == (404, "Not Found", "source")
    ambiguous = await other_system.post("/v1/webhooks/web", json=body | {"at": "9/11/2026"}, headers={"X-API-Key": "web-key"})
    assert (ambiguous.status_code, ambiguous.json()["errors"][0]["rule"]) == (422, "date_ambiguous")
    assert (await other_system.post("/v1/webhooks/web", content=b"{", headers={"X-API-Key": "web-key"})).status_code == 400


async def test_missing_secret_is_named_at_start(settings: IntakeSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWILIO_AUTH_TOKEN")
    with pytest.raises(Misconfigured, match="TWILIO_AUTH_TOKEN: is not set"):
        build(settings)
