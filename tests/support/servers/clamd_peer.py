"""A peer that speaks clamd's protocol for INSTREAM: NUL-terminated command, chunks with a length of four bytes, answers as clamd's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

# In two parts, so that no scanner takes this module for a virus.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD" + rb"-ANTIVIRUS-TEST-FILE!$H+H*"
_FOUND, _CLEAN, _TOO_LARGE = b"stream: Win.Test.EICAR_HDB-1 FOUND\0", b"stream: OK\0", b"INSTREAM size limit exceeded. ERROR\0"


class ClamdPeer:
    """Answers on a port or a Unix socket; `streams` are the contents that it was sent."""

    def __init__(self, max_bytes: int = 26_214_400, *, silent: bool = False) -> None:
        self.streams: list[bytes] = []
        self.address = ""
        self._max_bytes = max_bytes
        self._silent = silent

    @asynccontextmanager
    async def serving(self, path: Path | None = None) -> AsyncIterator["ClamdPeer"]:
        """Serve until the end of the block."""
        if path is None:
            server: asyncio.Server = await asyncio.start_server(self._handle, "127.0.0.1", 0)
            self.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        else:
            server, self.address = await asyncio.start_unix_server(self._handle, path), str(path)
        async with server:
            yield self

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if await reader.readuntil(b"\0") != b"zINSTREAM\0":
                writer.write(b"UNKNOWN COMMAND\0")
            else:
                writer.write(await self._scan(reader))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _scan(self, reader: asyncio.StreamReader) -> bytes:
        content = bytearray()
        while length := int.from_bytes(await reader.readexactly(4)):
            content += await reader.readexactly(length)
            if len(content) > self._max_bytes:
                return _TOO_LARGE
        self.streams.append(bytes(content))
        if self._silent:
            await reader.read()  # until the client gives up
        return _FOUND if EICAR in content else _CLEAN
