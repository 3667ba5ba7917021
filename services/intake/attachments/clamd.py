"""Scans files with clamd: the command INSTREAM of its protocol, over TCP or a Unix socket."""

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path

from services.intake.attachments.blobs import CHUNK_BYTES
from shared.runtime.errors import Misconfigured

_COMMAND = b"zINSTREAM\0"
_PREFIX = "stream: "
_CLEAN, _FOUND = "OK", " FOUND"
_TOO_LARGE = "INSTREAM size limit exceeded"
_LIMIT_REMEDY = "its StreamMaxLength must be at least JIESU_ATTACHMENT_MAX_BYTES"
_LENGTH_BYTES = 4


class NotScannedError(OSError):
    """clamd can be reached, but has no result for this file."""


@dataclass(frozen=True, slots=True)
class ClamdScanner:
    """A clamd at `host:port`, or at the path of a Unix socket."""

    address: str
    seconds: float

    @classmethod
    def parse(cls, address: str, seconds: float) -> "ClamdScanner | None":
        """The scanner of a setting, None for an empty one; raises `Misconfigured`."""
        if address and not address.startswith("/") and not address.rpartition(":")[2].isdecimal():
            raise Misconfigured("JIESU_ATTACHMENT_CLAMD: must be host:port or the path of a socket; correct it or leave it empty")
        return cls(address, seconds) if address else None

    async def find_virus(self, path: Path) -> str:
        """The name of the virus that clamd found in the file, empty for a clean file.

        Raises `NotScannedError` if clamd can be reached but returns no result for this file; OSError if it cannot be reached.
        """
        async with asyncio.timeout(self.seconds):
            reader, writer = await self._connect()
        try:
            async with asyncio.timeout(self.seconds):
                answer = await _scan(reader, writer, path)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise NotScannedError(f"clamd closed the connection without an answer; {_LIMIT_REMEDY}") from error
        except TimeoutError as error:
            raise NotScannedError("clamd did not answer in time") from error
        finally:
            writer.close()
        return _read_answer(answer)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.address.startswith("/"):
            return await asyncio.open_unix_connection(self.address)
        host, _, port = self.address.rpartition(":")
        return await asyncio.open_connection(host.strip("[]"), int(port))


async def _scan(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: Path) -> str:
    writer.write(_COMMAND)
    # clamd answers and closes before the end when the stream exceeds its StreamMaxLength; the reset may overtake the answer.
    with contextlib.suppress(ConnectionError), await asyncio.to_thread(path.open, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            writer.write(len(chunk).to_bytes(_LENGTH_BYTES) + chunk)
            await writer.drain()
        writer.write(bytes(_LENGTH_BYTES))
        await writer.drain()
    return (await reader.readuntil(b"\0"))[:-1].decode("utf-8", "replace")


def _read_answer(answer: str) -> str:
    result = answer.removeprefix(_PREFIX)
    if result == _CLEAN:
        return ""
    if result.endswith(_FOUND):
        return result.removesuffix(_FOUND)
    if answer.startswith(_TOO_LARGE):
        raise NotScannedError(f"clamd takes smaller files only; {_LIMIT_REMEDY}")
    raise NotScannedError("clamd answered with an error")
