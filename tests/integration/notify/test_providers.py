"""The suite that every provider passes: success, refusals, time-outs, garbage, nobody there, a repeated key."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.notify.bootstrap import PROVIDERS
from services.notify.domain.failure_reason import Reason
from services.notify.providers.provider import Accepted, Outgoing, Refused
from tests.integration.notify.peers import BUILDERS, Peer, misbehaving, peer

KEY = "01999999-0000-7000-8000-000000000001"
GARBAGE = {
    "text": b"hello, who is there?\r\n\r\n" * 3,
    "binary": bytes(range(256)) * 8,
    "another protocol": b"-ERR unknown command\r\n",
    "an empty success": b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    "a page": b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n<html></html>",
    "an endless number": b"9" * 5000 + b"\r\n",
}
pytestmark = pytest.mark.parametrize("kind", sorted(BUILDERS))


@pytest.fixture
async def sink(kind: str, tmp_path: Path) -> AsyncIterator[Peer]:
    async with peer(kind, tmp_path) as connected:
        yield connected


def message(to: str, key: str = KEY) -> Outgoing:
    return Outgoing(key, to, "催办：投诉单 1", "投诉单 1 待办。\n请尽快办理。")


async def at(kind: str, port: int) -> Accepted | Refused:
    provider = BUILDERS[kind](port)
    result = await provider.send(message("+8613800000001" if kind == "http_sms" else "li@example.com"))
    await provider.close()
    return result


def test_every_provider_is_in_the_suite(kind: str) -> None:
    assert kind in {make.__name__.lstrip("_") for make in PROVIDERS}
    assert len(PROVIDERS) == len(BUILDERS)


async def test_success(sink: Peer) -> None:
    result = await sink.provider.send(message(sink.address))
    assert isinstance(result, Accepted)
    assert result.reference
    [kept] = sink.box.messages.values()
    assert kept["text"].split() == ["投诉单", "1", "待办。", "请尽快办理。"]
    assert sink.address in kept["to"]


async def test_the_peer_sees_the_same_key_at_every_attempt(sink: Peer) -> None:
    first, second = [await sink.provider.send(message(sink.address)) for _ in range(2)]
    assert first == second
    assert (len(sink.box.messages), sink.box.repeats) == (1, 1)
    await sink.provider.send(message(sink.address, KEY[:-1] + "2"))
    assert len(sink.box.messages) == 2
    assert all(KEY[:-1] in key for key in sink.box.messages)


async def test_a_peer_that_is_busy_is_asked_again(sink: Peer) -> None:
    sink.busy()
    result = await sink.provider.send(message(sink.address))
    assert isinstance(result, Refused)
    assert (result.reason, result.permanent) == (Reason.BUSY, False)
    assert isinstance(await sink.provider.send(message(sink.address)), Accepted)


async def test_a_message_refused_for_good_is_over(sink: Peer) -> None:
    sink.refuse()
    result = await sink.provider.send(message(sink.address))
    assert isinstance(result, Refused)
    assert (result.reason, result.permanent) == (Reason.REFUSED, True)
    assert sink.box.messages == {}


async def test_an_unknown_recipient_is_over(sink: Peer) -> None:
    result = await sink.provider.send(message(sink.unknown))
    assert isinstance(result, Refused)
    assert (result.reason, result.permanent) == (Reason.REFUSED, True)


async def test_nothing_that_the_peer_wrote_is_kept(sink: Peer) -> None:
    for refusal in (sink.busy, sink.refuse):
        refusal()
        result = await sink.provider.send(message(sink.address))
        assert isinstance(result, Refused)
        assert sink.address not in repr(result) + result.text()
        assert len(result.text()) < 40


async def test_nobody_there(kind: str) -> None:
    async with misbehaving(lambda _reader, _writer: None) as port:
        pass
    assert await at(kind, port) == Refused(Reason.UNREACHABLE, permanent=False)


async def test_a_peer_that_says_nothing(kind: str) -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            continue

    async with misbehaving(silent) as port:
        assert await at(kind, port) == Refused(Reason.UNREACHABLE, permanent=False)


async def test_a_peer_that_dribbles_is_not_waited_for(kind: str) -> None:
    async def dribble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220-" if kind == "smtp" else b"HTTP/1.1 200 OK\r\nx: ")
        reading = asyncio.ensure_future(reader.read())
        while not reading.done():
            writer.write(b"a")
            await asyncio.wait([reading], timeout=0.02)

    async with misbehaving(dribble) as port:
        result = await at(kind, port)
    assert result == Refused(Reason.UNREACHABLE, permanent=False)


async def test_a_peer_that_hangs_up(kind: str) -> None:
    async with misbehaving(lambda _reader, _writer: None) as port:
        result = await at(kind, port)
    assert isinstance(result, Refused)
    assert not result.permanent


@pytest.mark.parametrize("noise", sorted(GARBAGE))
async def test_garbage_is_no_acceptance(kind: str, noise: str) -> None:
    async with misbehaving(lambda _reader, writer: writer.write(GARBAGE[noise])) as port:
        result = await at(kind, port)
    assert isinstance(result, Refused)
    assert not result.permanent
    assert result.reason in {Reason.GARBAGE, Reason.UNREACHABLE}
