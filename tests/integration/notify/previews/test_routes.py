"""`POST /v1/messages/previews` over HTTP: for people alone, bounded, and without a table behind it."""

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.notify.bootstrap import build
from services.notify.config import NotifySettings
from services.notify.previews.routes import MAX_MESSAGES
from tests.integration.notify.notify_process import ORGANISATION

TOKEN = "token-of-li"
REQUEST: dict[str, Any] = {
    "case": "c1",
    "at": "2026-09-24T08:00:00+00:00",
    "notification": "c1-4",
    "persons": ["li", "wu"],
    "by": ["sms", "email"],
    "about": "reminded",
    "values": {"number": "TS-1", "matter": "电梯停运"},
}


@pytest.fixture
async def client(settings: NotifySettings, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    digest = sha256(TOKEN.encode()).hexdigest()
    path = tmp_path / "with-token.yaml"
    path.write_text(ORGANISATION.replace("{id: li, ", f'{{id: li, token_sha256: "{digest}", '), encoding="utf-8")
    service = build(settings.model_copy(update={"organisation": path}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(service.app), base_url="http://notify") as connected:
        yield connected
    await service.processing_database.close()
    await service.database.close()


async def ask(client: httpx.AsyncClient, messages: list[dict[str, Any]], token: str = TOKEN) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return await client.post("/v1/messages/previews", json={"messages": messages}, headers=headers)


async def test_person_reads_the_words_by_channel_and_language(client: httpx.AsyncClient) -> None:
    answer = await ask(client, [REQUEST])
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    [message] = answer.json()["messages"]
    assert message["notification"] == "c1-4"
    shown = [(words["channel"], words["language"], words["recipients"]) for words in message["words"]]
    assert shown == [("sms", "zh", ["li"]), ("sms", "en", ["wu"]), ("email", "zh", ["li"]), ("email", "en", ["wu"])]
    assert all("TS-1" in words["text"] for words in message["words"])
    assert "li@example.com" not in answer.text


@pytest.mark.parametrize("token", ["", "token-of-nobody"])
async def test_only_people_of_the_organisation_get_an_answer(client: httpx.AsyncClient, token: str) -> None:
    answer = await ask(client, [REQUEST], token)
    assert answer.status_code == 401
    assert "TS-1" not in answer.text


@pytest.mark.parametrize("messages", [[], [REQUEST] * (MAX_MESSAGES + 1), [{"case": "c1"}], [{**REQUEST, "values": "x"}]])
async def test_what_is_no_list_of_requests_is_refused(client: httpx.AsyncClient, messages: list[dict[str, Any]]) -> None:
    answer = await ask(client, messages)
    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_person_who_asks_without_end_has_to_wait(client: httpx.AsyncClient) -> None:
    statuses = [(await ask(client, [REQUEST])).status_code for _ in range(60)]
    assert 429 in statuses
