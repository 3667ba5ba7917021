"""The scanner against a peer that speaks clamd's INSTREAM to the letter."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from services.intake.attachments.clamd import ClamdScanner, NotScannedError
from shared.runtime.errors import Misconfigured
from tests.support.servers.clamd_peer import EICAR, ClamdPeer


@pytest.fixture
def sample(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes) -> Path:
        path = tmp_path / "sample"
        path.write_bytes(content)
        return path

    return write


async def test_clean_and_infected_files(sample: Callable[[bytes], Path]) -> None:
    async with ClamdPeer().serving() as peer:
        scanner = ClamdScanner(peer.address, 10)
        assert await scanner.find_virus(sample(b"clean" * 200_000)) == ""
        assert await scanner.find_virus(sample(b"x" * 262_140 + EICAR)) == "Win.Test.EICAR_HDB-1"
    assert [len(stream) for stream in peer.streams] == [1_000_000, 262_140 + len(EICAR)]


async def test_unix_socket(sample: Callable[[bytes], Path], tmp_path: Path) -> None:
    async with ClamdPeer().serving(tmp_path / "clamd.ctl") as peer:
        assert await ClamdScanner(peer.address, 10).find_virus(sample(EICAR)) == "Win.Test.EICAR_HDB-1"


async def test_file_over_clamds_own_limit_is_an_outage_and_no_clean_file(sample: Callable[[bytes], Path]) -> None:
    async with ClamdPeer(max_bytes=1000).serving() as peer:
        with pytest.raises(OSError, match="StreamMaxLength"):
            await ClamdScanner(peer.address, 10).find_virus(sample(b"x" * 5_000_000))


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\0\0\0\0")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("answer", [b"", b"stream: OK", b"stream: Error ERROR\0", b"UNKNOWN COMMAND\0"])
async def test_answer_that_says_nothing_is_an_outage(sample: Callable[[bytes], Path], answer: bytes) -> None:
    async with answering(answer) as address:
        with pytest.raises(OSError, match="clamd"):
            await ClamdScanner(address, 10).find_virus(sample(b"clean"))


async def test_scan_ends_in_time(sample: Callable[[bytes], Path]) -> None:
    async with ClamdPeer(silent=True).serving() as peer:
        with pytest.raises(NotScannedError, match="in time"):
            await ClamdScanner(peer.address, 0.2).find_virus(sample(b"clean"))


def test_setting_without_a_port_is_refused() -> None:
    assert ClamdScanner.parse("", 1) is None
    with pytest.raises(Misconfigured, match="JIESU_ATTACHMENT_CLAMD"):
        ClamdScanner.parse("localhost", 1)
