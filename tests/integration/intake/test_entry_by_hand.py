"""Complaints that people enter by hand: who may, for which source and channel, with what is recorded."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.intake.bootstrap import build
from services.intake.config import IntakeSettings
from shared.contracts import topics
from shared.runtime.service import Service
from tests.integration.intake.conftest import source_client
from tests.support.messaging.sample_organisation import SOURCES, submission_body, write_organisation
from tests.support.messaging.topic_client import TopicClient
from tests.support.waiting import wait_for

PEOPLE: list[dict[str, Any]] = [
    {"id": name, "roles": roles, "token_sha256": sha256(f"{name}-token".encode()).hexdigest()}
    for name, roles in {"li": ["handler"], "wang": [], "zhao": []}.items()
]
WEB, HOTLINE, *_ = SOURCES


@pytest.fixture
async def intake(settings: IntakeSettings, tmp_path: Path) -> AsyncIterator[Service]:
    sources = [WEB | {"entered_by": ["handler"]}, HOTLINE | {"entered_by": ["wang", "li"]}]
    organisation = write_organisation(tmp_path, people=PEOPLE, sources=sources)
    async with build(settings.model_copy(update={"organisation": organisation})).running() as service:
        yield service


def letter(**fields: Any) -> dict[str, Any]:
    received = datetime.now(UTC) - timedelta(days=3)
    return submission_body(channel="letter", received_at=received.isoformat()) | fields


def person(intake: Service, name: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{intake.http_port}", headers={"Authorization": f"Bearer {name}-token"})


async def test_person_enters_a_letter_that_came_days_ago(intake: Service, topic_client: TopicClient) -> None:
    body = letter(source="web", attachments=["扫描件.pdf"])
    async with person(intake, "li") as client:
        answer = await client.post("/v1/complaints", json=body)
    assert answer.status_code == 202, answer.text

    async def published() -> Any:
        return await topic_client.read_events(topics.COMPLAINT_EVENTS)

    [(_, _, event)] = await wait_for(published)
    complaint = event["complaint"]
    assert (complaint["entered_by"], complaint["source"], complaint["channel"]) == ("li", "web", "letter")
    received, registered = (datetime.fromisoformat(complaint[name]) for name in ("received_at", "registered_at"))
    assert received == datetime.fromisoformat(body["received_at"])
    assert registered - received > timedelta(days=2)
    assert complaint["attachments"] == ["扫描件.pdf"]


@pytest.mark.parametrize("channel", ["hotline", "visit", "letter", "fax", "box", "media", "regulator"])
async def test_source_names_the_person_on_every_channel_that_people_take(intake: Service, channel: str) -> None:
    async with source_client(intake, "web") as client:
        answer = await client.post("/v1/complaints", json=letter(channel=channel, entered_by="li"))
        stored = (await client.get(f"/v1/complaints/{answer.json()['case']}")).json()
    assert stored["complaint"]["entered_by"] == "li"


@pytest.mark.parametrize(
    ("sender", "fields", "field", "rule"),
    [
        ("source", {"entered_by": "wang"}, "entered_by", "not_allowed"),
        ("source", {"entered_by": "nobody"}, "entered_by", "not_allowed"),
        ("source", {"entered_by": "li", "channel": "email"}, "channel", "not_by_hand"),
        ("zhao", {}, "source", "missing"),
        ("wang", {"source": "web"}, "source", "not_yours"),
        ("li", {}, "source", "missing"),
        ("li", {"source": "none"}, "source", "not_yours"),
        ("li", {"source": "web", "entered_by": "wang"}, "entered_by", "not_you"),
        ("wang", {"channel": "letter"}, "channel", "not_allowed"),
        ("li", {"source": "web", "channel": "web"}, "channel", "not_by_hand"),
    ],
)
async def test_others_are_refused_with_field_and_rule(intake: Service, sender: str, fields: dict[str, Any], field: str, rule: str) -> None:
    async with source_client(intake, "web") if sender == "source" else person(intake, sender) as client:
        answer = await client.post("/v1/complaints", json=letter(**fields))
    assert (answer.status_code, [(fault["field"], fault["rule"]) for fault in answer.json()["errors"]]) == (403, [(field, rule)])


async def test_only_source_that_lists_the_person_need_not_be_named(intake: Service) -> None:
    async with person(intake, "wang") as client:
        answer = await client.post("/v1/complaints", json=letter(channel="hotline"))
        strange = await client.post("/v1/complaints", content=b"[1]")
        batch = await client.post("/v1/complaints:batch", json={"complaints": [letter()]})
    assert answer.status_code == 202
    assert (strange.status_code, strange.json()["errors"][0]["rule"]) == (422, "not_an_object")
    assert batch.status_code == 401
