"""The suite that every provider passes: success, refusals, timeouts, garbage, an unreachable peer, a repeated key."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from services.notify.domain.failure_reason import FailureReason
from services.notify.providers.provider import OutgoingMessage, SendAccepted, SendFailed
from services.notify.providers.registry import PROVIDER_KINDS
from tests.integration.notify.providers.provider_peers import PEER_KINDS, misbehaving_server
from tests.support.provider_peers.peer_kind import ProviderPeer

KEY = "01999999-0000-7000-8000-000000000001"
GARBAGE = {
    "text": b"hello, anybody?\r\n\r\n" * 3,
    "binary": bytes(range(256)) * 8,
    "another protocol": b"-ERR unknown command\r\n",
    "an empty success": b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    "a page": b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n<html></html>",
    "an endless number": b"9" * 5000 + b"\r\n",
}
pytestmark = pytest.mark.parametrize("kind", sorted(PEER_KINDS))


@pytest.fixture
async def sink(kind: str, tmp_path: Path) -> AsyncIterator[ProviderPeer]:
    async with PEER_KINDS[kind].connect(tmp_path) as connected:
        yield connected


def message(to: str, key: str = KEY) -> OutgoingMessage:
    return OutgoingMessage(key, to, "催办：投诉单 1", "投诉单 1 待办。\n请尽快办理。")


async def make(peer_answer: Callable[[], object]) -> None:
    """Prepare the peer's next answer."""
    prepared = peer_answer()
    if inspect.isawaitable(prepared):
        await prepared


async def send_to(kind: str, port: int) -> SendAccepted | SendFailed:
    provider = PEER_KINDS[kind].build(port)
    result = await provider.send(message(PEER_KINDS[kind].address))
    await provider.close()
    return result


def test_every_kind_is_in_the_suite(kind: str) -> None:
    assert PROVIDER_KINDS[kind].channel == PEER_KINDS[kind].build(1).channel
    assert set(PROVIDER_KINDS) == set(PEER_KINDS)


async def test_accepted_message_has_a_reference_and_arrives(sink: ProviderPeer) -> None:
    result = await sink.provider.send(message(sink.address))
    assert isinstance(result, SendAccepted)
    assert result.reference
    [received] = sink.message_file.messages.values()
    assert received["text"].split() == ["投诉单", "1", "待办。", "请尽快办理。"]
    assert sink.address in received["to"]


async def test_peer_receives_the_same_key_at_every_attempt(kind: str, sink: ProviderPeer) -> None:
    first, second = [await sink.provider.send(message(sink.address)) for _ in range(2)]
    if not PEER_KINDS[kind].recognises_repeats:
        # Such a protocol has no idempotency key: notify keeps a message in doubt at this provider, and may repeat it there.
        assert isinstance(first, SendAccepted)
        assert isinstance(second, SendAccepted)
        assert len(sink.message_file.messages) == 2
        return
    assert first == second
    assert (len(sink.message_file.messages), sink.message_file.duplicates) == (1, 1)
    await sink.provider.send(message(sink.address, KEY[:-1] + "2"))
    assert len(sink.message_file.messages) == 2
    assert all(KEY[:-1] in key for key in sink.message_file.messages)


async def test_busy_peer_is_no_permanent_failure(sink: ProviderPeer) -> None:
    await make(sink.defer_next)
    result = await sink.provider.send(message(sink.address))
    assert isinstance(result, SendFailed)
    assert (result.reason, result.permanent) == (FailureReason.BUSY, False)
    assert isinstance(await sink.provider.send(message(sink.address)), SendAccepted)


async def test_permanent_refusal_is_a_permanent_failure(sink: ProviderPeer) -> None:
    await make(sink.refuse_next)
    result = await sink.provider.send(message(sink.address))
    assert isinstance(result, SendFailed)
    assert (result.reason, result.permanent) == (FailureReason.REFUSED, True)
    assert sink.message_file.messages == {}


async def test_unknown_recipient_is_a_permanent_failure(sink: ProviderPeer) -> None:
    result = await sink.provider.send(message(sink.unknown_address))
    assert isinstance(result, SendFailed)
    assert (result.reason, result.permanent) == (FailureReason.REFUSED, True)


async def test_text_of_the_peer_is_in_no_result(sink: ProviderPeer) -> None:
    for refusal in (sink.defer_next, sink.refuse_next):
        await make(refusal)
        result = await sink.provider.send(message(sink.address))
        assert isinstance(result, SendFailed)
        assert sink.address not in repr(result) + result.describe()
        assert len(result.describe()) < 40


async def test_closed_port_is_unreachable(kind: str) -> None:
    async with misbehaving_server(lambda _reader, _writer: None) as port:
        pass
    result = await send_to(kind, port)
    assert isinstance(result, SendFailed)
    assert (result.reason, result.permanent, result.in_doubt) == (FailureReason.UNREACHABLE, False, False)


async def test_silent_peer_is_unreachable(kind: str) -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            continue

    async with misbehaving_server(silent) as port:
        result = await send_to(kind, port)
    assert isinstance(result, SendFailed)
    assert (result.reason, result.permanent) == (FailureReason.UNREACHABLE, False)


async def test_endless_response_ends_at_the_timeout(kind: str) -> None:
    async def dribble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(PEER_KINDS[kind].dribble)
        reading = asyncio.ensure_future(reader.read())
        while not reading.done():
            writer.write(b"a")
            await asyncio.wait([reading], timeout=0.02)

    async with misbehaving_server(dribble) as port:
        result = await send_to(kind, port)
    assert isinstance(result, SendFailed)
    assert (result.reason, result.permanent) == (FailureReason.UNREACHABLE, False)


async def test_peer_that_closes_the_connection_is_no_permanent_failure(kind: str) -> None:
    async with misbehaving_server(lambda _reader, _writer: None) as port:
        result = await send_to(kind, port)
    assert isinstance(result, SendFailed)
    assert not result.permanent


@pytest.mark.parametrize("noise", sorted(GARBAGE))
async def test_garbage_is_neither_accepted_nor_permanent(kind: str, noise: str) -> None:
    async with misbehaving_server(lambda _reader, writer: writer.write(GARBAGE[noise])) as port:
        result = await send_to(kind, port)
    assert isinstance(result, SendFailed)
    assert not result.permanent
    assert result.reason in {FailureReason.GARBAGE, FailureReason.UNREACHABLE}
