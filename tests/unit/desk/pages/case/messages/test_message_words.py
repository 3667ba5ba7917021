"""What is asked of notify, and what becomes of its answer or silence."""

import json
from typing import Any

import httpx
import pytest

from services.desk.application.service_client import ServiceClient
from services.desk.pages.case.messages.message_words import message_words, preview_messages

EVENT = {
    "event": "notification_requested",
    "at": "2026-09-24T08:00:00+08:00",
    "notification": "c-4",
    "persons": ["li"],
    "values": {"number": "TS-1"},
    "contact": "sealed",
    "unknown": "of a later version",
}
WORDS = [{"channel": "sms", "language": "zh", "recipients": ["li"], "subject": "", "text": "请处理"}]


def client(status: int = 200, asked: list[httpx.Request] | None = None) -> ServiceClient:
    def answer(request: httpx.Request) -> httpx.Response:
        if asked is not None:
            asked.append(request)
        if request.url.path.endswith("/actions/preview"):
            return httpx.Response(200, json={"messages": [EVENT, EVENT | {"notification": "c-5", "merged_into": "c-4"}]})
        return httpx.Response(status, json={"messages": [{"notification": "c-4", "words": WORDS}]})

    return ServiceClient({"notify": "http://notify.test", "sla": "http://sla.test"}, 5, httpx.MockTransport(answer))


async def test_requests_go_to_notify_with_the_token_and_without_contact_data() -> None:
    asked: list[httpx.Request] = []
    services = client(asked=asked)
    assert await message_words(services, "token", "c", [EVENT]) == {"c-4": WORDS}
    assert asked[0].headers["authorization"] == "Bearer token"
    sent: dict[str, Any] = json.loads(asked[0].content)
    fields = {name: EVENT[name] for name in ("at", "notification", "persons", "values")}
    assert sent == {"messages": [{**fields, "case": "c"}]}
    await services.close()


async def test_case_without_messages_asks_nobody() -> None:
    asked: list[httpx.Request] = []
    services = client(asked=asked)
    assert await message_words(services, "token", "c", []) == {}
    assert asked == []
    await services.close()


@pytest.mark.parametrize("status", [401, 422, 500])
async def test_no_answer_of_notify_is_no_fault_of_the_page(status: int) -> None:
    services = client(status)
    assert await message_words(services, "token", "c", [EVENT]) is None
    [previewed] = await preview_messages(services, "token", "c", {"action": "answer"})
    assert (previewed.event["persons"], previewed.words) == (["li"], None)
    await services.close()


async def test_preview_leaves_out_what_another_message_includes() -> None:
    services = client()
    [previewed] = await preview_messages(services, "token", "c", {"action": "answer"})
    assert (previewed.event["notification"], previewed.words) == ("c-4", WORDS)
    await services.close()
