"""Webhooks: signed as the standard's own library verifies them; each event once, a case in order, what is not taken is listed."""

import asyncio
import base64
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from jiesu_client import Retries, is_webhook_valid, webhook_headers
from jiesu_client.subscriptions import TopicEvent, TopicSubscription
from jiesu_client.webhooks.__main__ import main
from jiesu_client.webhooks.relay import StoredEvents, WebhookReceiver, WebhookRelay
from jiesu_client.webhooks.store import WebhookStore
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.support.waiting import wait_for

Answer = Callable[[httpx.Request], httpx.Response]
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def test_a_webhook_is_verified_by_the_standards_library_and_by_ours() -> None:
    body = '{"text":"电梯停运"}'.encode()
    headers = webhook_headers(SECRET, "e-1", body)
    assert Webhook(SECRET).verify(body, headers) == {"text": "电梯停运"}
    assert is_webhook_valid(SECRET, headers, body)


@pytest.mark.parametrize(
    "change",
    [
        lambda headers: headers | {"webhook-id": "e-2"},
        lambda headers: headers | {"webhook-timestamp": str(int(time.time()) - 301)},
        lambda headers: headers | {"webhook-signature": "v1,AAAA"},
        lambda headers: headers | {"webhook-timestamp": "now"},
        lambda headers: headers | {"webhook-timestamp": "9" * 400},
        lambda _: {},
    ],
)
def test_a_changed_or_old_webhook_is_not_valid(change: Callable[[dict[str, str]], dict[str, str]]) -> None:
    headers = change(webhook_headers(SECRET, "e-1", b"{}"))
    assert not is_webhook_valid(SECRET, headers, b"{}")
    with pytest.raises((WebhookVerificationError, KeyError)):
        Webhook(SECRET).verify(b"{}", headers)


class _Read(TopicSubscription):
    """A subscription whose records are given."""

    def __init__(self, events: list[TopicEvent], store: WebhookStore) -> None:
        super().__init__("topic", "group", "none", StoredEvents(store))
        self._events = events

    async def run(self, handle: Callable[[TopicEvent], object]) -> None:
        for event in self._events:
            if not await self._processed.contains(event.id):
                await handle(event)  # type: ignore[misc]
        await asyncio.Event().wait()


def event(number: int, case: str) -> TopicEvent:
    return TopicEvent(f"{case}-{number}", "routed", "sla", "sla", number, datetime.now(UTC), case, None, {"n": number})


async def relay_until(
    store: WebhookStore, events: list[TopicEvent], answer: Answer, done: Callable[[], bool], patience: float = 60.0
) -> None:
    receiver = WebhookReceiver("http://receiver/hook", SECRET, patience=patience, retries=Retries(first=0.01, longest=0.02))
    relay = WebhookRelay(_Read(events, store), store, receiver, transport=httpx.MockTransport(answer))
    task = asyncio.ensure_future(relay.run())
    await wait_for(done, 10, "webhooks taken")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_events_of_a_case_arrive_in_order_whatever_fails_and_other_cases_do_not_wait(tmp_path: Path) -> None:
    store, taken, refused = WebhookStore(tmp_path / "w.db"), [], set()

    def answer(request: httpx.Request) -> httpx.Response:
        name = request.headers["webhook-id"]
        if name not in refused:
            refused.add(name)
            return httpx.Response(503, headers={"Retry-After": "0"})
        taken.append(name)
        return httpx.Response(204)

    events = [event(number, case) for number in range(1, 6) for case in ("a", "b", "c")]
    await relay_until(store, [*events, events[0]], answer, lambda: len(taken) >= 15)
    assert len(taken) == 15
    assert all([name for name in taken if name.startswith(case)] == [f"{case}-{n}" for n in range(1, 6)] for case in "abc")
    assert store.dead_letters() == []
    store.close()


async def test_what_is_not_taken_is_a_dead_letter_that_can_be_sent_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, taken, broken = tmp_path / "w.db", [], True
    store = WebhookStore(file)

    def answer(request: httpx.Request) -> httpx.Response:
        name = request.headers["webhook-id"]
        if broken and name == "a-1":
            return httpx.Response(500)
        taken.append(name)
        return httpx.Response(200)

    await relay_until(store, [event(1, "a"), event(2, "a"), event(1, "b")], answer, lambda: len(taken) == 2, patience=0.05)
    assert sorted(taken) == ["a-2", "b-1"]
    assert main(["--file", str(file), "dead-letters"]) == 0
    assert capsys.readouterr().out.startswith("a-1 a routed after ")
    assert main(["--file", str(file), "retry", "a-1", "unknown"]) == 1
    assert "unknown is no dead letter" in capsys.readouterr().err
    broken = False
    await relay_until(store, [], answer, lambda: "a-1" in taken)
    assert store.dead_letters() == []
    store.close()


@asynccontextmanager
async def broken_receiver() -> AsyncIterator[tuple[str, list[str]]]:
    """The URL of a receiver, and the ids that it has taken: the first answer to a case is the one that the case names."""
    seen, taken, over = set[str](), list[str](), asyncio.Event()

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        headers = dict(line.split(": ", 1) for line in head.splitlines()[1:-1])
        await reader.readexactly(int(headers["content-length"]))
        name = headers["webhook-id"]
        with contextlib.suppress(ConnectionError):
            if name in seen:
                taken.append(name)
                writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
            else:
                seen.add(name)
                taken.extend([name] if name.startswith("taken") else [])
                await answer_wrongly(name, writer, over)
        writer.close()

    server = await asyncio.start_server(respond, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook", taken
        over.set()


async def answer_wrongly(name: str, writer: asyncio.StreamWriter, over: asyncio.Event) -> None:
    status = b"HTTP/1.1 200 OK\r\n" if name.startswith("taken") else b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\n"
    if name.startswith("hanging"):
        await over.wait()
    elif name.startswith("endless_head"):
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while not over.is_set():
            writer.write(b"X-Filler: " + b"x" * 50_000 + b"\r\n")
            await writer.drain()
    elif "endless" in name:
        writer.write(status + b"Transfer-Encoding: chunked\r\n\r\n")
        while not over.is_set():
            writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
            await writer.drain()
    elif "gzip" in name:
        writer.write(status + b"Content-Encoding: gzip\r\nContent-Length: 7\r\n\r\nno gzip")
    else:
        writer.write(b"no HTTP at all\r\n\r\n")


async def test_receivers_that_hang_answer_without_end_or_wrongly_are_tried_again_and_end_nothing(tmp_path: Path) -> None:
    store, cases = WebhookStore(tmp_path / "w.db"), ["hanging", "endless", "endless_head", "gzip", "no_http", "taken_endless", "taken_gzip"]
    async with broken_receiver() as (url, taken):
        receiver = WebhookReceiver(url, SECRET, timeout=1.0, retries=Retries(first=0.01, longest=0.02))
        relay = WebhookRelay(_Read([event(1, case) for case in cases], store), store, receiver)
        task = asyncio.ensure_future(relay.run())
        await wait_for(lambda: task.done() or (len(taken) >= len(cases) and not store.due(10)), 20, "webhooks taken")
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert sorted(taken) == sorted(f"{case}-1" for case in cases)
    assert not store.dead_letters()
    store.close()


def test_missing_settings_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("JIESU_WEBHOOK_URL", raising=False)
    assert main(["--file", str(tmp_path / "w.db"), "run"]) == 2
    assert "JIESU_WEBHOOK_URL (where the events go)" in capsys.readouterr().err
