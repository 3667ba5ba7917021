"""A keep-alive connection with one request at a time: less CPU a request than any client library, so that the server gets the machine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True)
class HttpAnswer:
    """Status, and whether the answer has `Retry-After`; status 0 is a connection that was closed."""

    status: int
    retry_after: bool = False


class HttpConnection(asyncio.Protocol):
    """Sends requests one after the other; opens the connection again where the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._answer: asyncio.Future[HttpAnswer] | None = None

    async def request(self, content: bytes) -> HttpAnswer:
        """Send a whole request and wait for its answer."""
        loop = asyncio.get_running_loop()
        if self._transport is None:
            try:
                await loop.create_connection(lambda: self, "127.0.0.1", self._port)
            except OSError:
                return HttpAnswer(0)
        assert self._transport is not None
        self._answer = loop.create_future()
        self._transport.write(content)
        return await self._answer

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        """Settle the request once its answer is complete."""
        self._received += data
        head, found, body = self._received.partition(_HEAD_END)
        if not found:
            return
        lines = head.lower().split(b"\r\n")
        length = next((int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:")), 0)
        if len(body) >= length:
            self._received = b""
            self._settle(HttpAnswer(int(head[9:12]), any(line.startswith(b"retry-after:") for line in lines)))

    def connection_lost(self, _: Exception | None) -> None:
        """Settle the request that was under way as one without an answer."""
        self._transport = None
        self._received = b""
        self._settle(HttpAnswer(0))

    def _settle(self, answer: HttpAnswer) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)


def post(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """A POST of JSON as bytes."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + _HEAD_END + body
