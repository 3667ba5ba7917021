"""The proxy before a server: what each mode lets pass."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.embedded.ports import free_ports
from tests.support.faults.tcp_proxy import DELAY_SECONDS, ProxyMode, TcpProxy

REFUSAL = b"not now"
SHORT_SECONDS = 0.3


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(100):
        writer.write(chunk)
    writer.close()


@pytest.fixture
async def ports() -> AsyncIterator[tuple[int, int]]:
    """The proxy's port, and that of a server that sends back what it gets."""
    own, target = free_ports(2)
    server = await asyncio.start_server(_echo, "127.0.0.1", target)
    yield own, target
    server.close()


@pytest.fixture
def proxy(ports: tuple[int, int]) -> Iterator[TcpProxy]:
    with TcpProxy(*ports, refusal=REFUSAL) as running:
        yield running


@pytest.fixture
async def connection(proxy: TcpProxy) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    yield reader, writer
    writer.transport.abort()
    await asyncio.sleep(0)


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def test_bytes_pass_and_wait_while_the_server_is_cut_off(proxy: TcpProxy, connection: Connection) -> None:
    reader, writer = connection
    writer.write(b"before")
    assert await reader.readexactly(6) == b"before"
    proxy.mode = ProxyMode.CUT_OFF
    writer.write(b"during")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), SHORT_SECONDS)
    proxy.mode = ProxyMode.PASS
    assert await reader.readexactly(6) == b"during"


async def test_delayed_bytes_come_later(proxy: TcpProxy, connection: Connection) -> None:
    reader, writer = connection
    proxy.mode = ProxyMode.DELAY
    began = asyncio.get_running_loop().time()
    writer.write(b"late")
    assert await reader.readexactly(4) == b"late"
    assert asyncio.get_running_loop().time() - began >= 2 * DELAY_SECONDS


async def test_reset_lets_at_most_half_pass_and_ends_the_connection(proxy: TcpProxy, connection: Connection) -> None:
    reader, writer = connection
    writer.write(b"first")
    await reader.readexactly(5)
    proxy.mode = ProxyMode.RESET
    writer.write(b"12345678")
    try:
        received = await reader.read()
    except ConnectionResetError:
        received = b""
    assert len(received) <= 4


async def test_garbage_takes_the_place_of_the_answer(proxy: TcpProxy, connection: Connection) -> None:
    reader, writer = connection
    proxy.mode = ProxyMode.GARBAGE
    writer.write(b"question")
    assert await reader.readline() != b"question"


async def test_refusal_is_answered_in_the_servers_place(proxy: TcpProxy, connection: Connection) -> None:
    reader, writer = connection
    proxy.mode = ProxyMode.UNAVAILABLE
    writer.write(b"question")
    assert await reader.readexactly(len(REFUSAL)) == REFUSAL


async def test_server_that_speaks_first_refuses_at_once(ports: tuple[int, int]) -> None:
    with TcpProxy(*ports, refusal=REFUSAL, server_speaks_first=True) as proxy:
        proxy.mode = ProxyMode.UNAVAILABLE
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await reader.readexactly(len(REFUSAL)) == REFUSAL
        writer.transport.abort()
        await asyncio.sleep(0)


async def test_answer_comes_twice_or_half(proxy: TcpProxy, connection: Connection) -> None:
    reader, writer = connection
    proxy.mode = ProxyMode.TWICE
    writer.write(b"1234")
    assert await reader.readexactly(8) == b"12341234"
    proxy.mode = ProxyMode.HALF
    writer.write(b"5678")
    assert await reader.read() == b"56"
