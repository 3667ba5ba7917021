"""The connection of the load client against a server that answers in pieces and closes connections."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.bench.requests.http_connection import HttpAnswer, HttpConnection, post

BODY = b'{"number": 1}'


@pytest.fixture
async def server() -> AsyncIterator[tuple[int, list[bytes]]]:
    bodies: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            bodies.append(await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])))
            if len(bodies) == 3:
                writer.close()
                return
            status = b"202 Accepted" if len(bodies) != 2 else b"429 Too Many Requests\r\nRetry-After: 2"
            for piece in (b"HTTP/1.1 ", status, b"\r\nContent-Length: 4\r\n\r", b"\nokay"):
                writer.write(piece)
                await writer.drain()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1], bodies


async def test_answers_in_pieces_and_closed_connections_are_told_apart(server: tuple[int, list[bytes]]) -> None:
    port, bodies = server
    connection, request = HttpConnection(port), post("/v1/complaints", BODY, {"Authorization": "Bearer key"})
    answers = [await connection.request(request) for _ in range(4)]
    assert answers == [HttpAnswer(202), HttpAnswer(429, retry_after=True), HttpAnswer(0), HttpAnswer(202)]
    assert bodies == [BODY] * 4
    connection.close()
