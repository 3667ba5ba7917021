"""A TCP proxy on loopback that can cut off, delay or reset connections, or answer in place of the server."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import suppress
from enum import StrEnum
from types import TracebackType
from typing import Self

_CHUNK = 65_536
_POLL_SECONDS = 0.02
DELAY_SECONDS = 0.3


class ProxyMode(StrEnum):
    """What happens to bytes: the names are those of the faults in `plan.KINDS`."""

    PASS = "pass"
    CUT_OFF = "cut off"
    DELAY = "delay"
    RESET = "reset"
    HALF = "half"
    TWICE = "twice"
    GARBAGE = "garbage"
    UNAVAILABLE = "unavailable"


class TcpProxy:
    """Forwards connections from `port` to `target_port` for the length of a block, in a thread of its own.

    `mode` may be set at any time. `refusal` is sent in the mode `UNAVAILABLE`, to a client that has sent something, or at once if
    the protocol's server speaks first (`server_speaks_first`).
    """

    def __init__(self, port: int, target_port: int, *, refusal: bytes = b"", server_speaks_first: bool = False) -> None:
        self.mode = ProxyMode.PASS
        self.port = port
        self._target_port = target_port
        self._refusal = refusal
        self._server_speaks_first = server_speaks_first
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._served: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", self.port), self._loop).result(10)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        self.mode = ProxyMode.PASS
        # Not cancelled: asyncio reports a cancelled callback of a connection as an error.
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._served)

    async def _serve(self, client_reader: asyncio.StreamReader, client_writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._served.add(task)
        writers = [client_writer]
        try:
            self._writers.add(client_writer)
            if self.mode is ProxyMode.UNAVAILABLE and self._server_speaks_first:
                client_writer.write(self._refusal)
                await client_writer.drain()
                return
            await self._wait_while_cut_off()
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
            writers.append(server_writer)
            self._writers.add(server_writer)
            await self._forward_both(client_reader, client_writer, server_reader, server_writer)
        except OSError:
            pass  # either side has gone: both are closed below
        finally:
            for writer in writers:
                # At once, as a connection ends whose other side was killed.
                writer.transport.abort()
            self._writers -= {*writers}
            self._served.discard(task)

    async def _forward_both(
        self,
        client_reader: asyncio.StreamReader,
        client_writer: asyncio.StreamWriter,
        server_reader: asyncio.StreamReader,
        server_writer: asyncio.StreamWriter,
    ) -> None:
        directions = [
            asyncio.ensure_future(self._forward(client_reader, server_writer, client_writer, from_client=True)),
            asyncio.ensure_future(self._forward(server_reader, client_writer, client_writer, from_client=False)),
        ]
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: asyncio.StreamWriter, *, from_client: bool
    ) -> None:
        while chunk := await reader.read(_CHUNK):
            await self._wait_while_cut_off()
            match self.mode:
                case ProxyMode.DELAY:
                    await asyncio.sleep(DELAY_SECONDS)
                case ProxyMode.RESET:
                    writer.write(chunk[: len(chunk) // 2])
                    with suppress(OSError):
                        await writer.drain()
                    return
                case ProxyMode.HALF if not from_client:
                    client.write(chunk[: len(chunk) // 2])
                    await client.drain()
                    return
                case ProxyMode.TWICE if not from_client:
                    client.write(chunk)
                case ProxyMode.GARBAGE if not from_client:
                    client.write(os.urandom(min(len(chunk), 1_000)) + b"\r\n")
                    await client.drain()
                    return
                case ProxyMode.UNAVAILABLE if from_client and self._refusal and not self._server_speaks_first:
                    client.write(self._refusal)
                    await client.drain()
                    return
            writer.write(chunk)
            await writer.drain()

    async def _wait_while_cut_off(self) -> None:
        while self.mode is ProxyMode.CUT_OFF:  # noqa: ASYNC110 - another thread changes it
            await asyncio.sleep(_POLL_SECONDS)
