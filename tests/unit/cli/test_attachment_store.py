"""The attachment store of the commands: outages are told apart from missing contents and from the database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import typer

from cli.attachment_store import CheckedBlobs, StoreUnavailableError, open_checked_blobs, using_store
from cli.database import query_service
from services.intake.attachments.blobs import BlobMissingError, FolderBlobs
from services.intake.attachments.config import AttachmentSettings
from shared.runtime.database.database import Database

SHA256 = "a" * 64


class BrokenBlobs(FolderBlobs):
    """A store each request of which fails."""

    async def put(self, sha256: str, path: Path) -> None:  # noqa: ARG002 - the signature of the store
        raise OSError("the attachment store failed: GenericError")

    async def read(self, sha256: str) -> AsyncIterator[bytes]:  # noqa: ARG002 - the signature of the store
        yield b"the first piece"
        raise OSError("the attachment store failed: GenericError")

    async def delete(self, sha256: str) -> None:  # noqa: ARG002 - the signature of the store
        raise OSError("the attachment store failed: GenericError")


async def content(blobs: CheckedBlobs) -> bytes:
    return b"".join([chunk async for chunk in blobs.read(SHA256)])


async def test_outages_of_a_store_have_an_error_of_their_own(tmp_path: Path) -> None:
    blobs = CheckedBlobs(BrokenBlobs(tmp_path))
    for request in (content(blobs), blobs.delete(SHA256), blobs.put(SHA256, tmp_path / "file")):
        with pytest.raises(StoreUnavailableError, match="the attachment store failed: GenericError"):
            await request


async def test_a_content_is_missing_only_where_the_store_is_there(tmp_path: Path) -> None:
    blobs = CheckedBlobs(FolderBlobs(tmp_path / "store"))
    with pytest.raises(BlobMissingError):
        await content(blobs)
    await blobs.delete(SHA256)
    (tmp_path / "store").rename(tmp_path / "unmounted")
    with pytest.raises(StoreUnavailableError, match="incoming does not exist; check JIESU_ATTACHMENT_STORE"):
        await content(blobs)
    with pytest.raises(StoreUnavailableError, match="incoming does not exist"):
        await blobs.delete(SHA256)


def test_a_folder_that_is_away_is_not_created(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        open_checked_blobs(AttachmentSettings(attachment_store=str(tmp_path / "store")))
    assert ended.value.exit_code == 2
    assert capsys.readouterr().err.startswith(f"the store cannot be used: {tmp_path}/store/incoming does not exist; ")
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (StoreUnavailableError("the attachment store failed: GenericError"), "the store cannot be used: the attachment store failed"),
        (ConnectionRefusedError(111, "Connection refused"), "the database of intake cannot be used (ConnectionRefusedError"),
        (OSError(28, "No space left on device", "/tmp/x"), "/tmp/x: cannot be used (No space left on device)"),
    ],
)
def test_each_outage_is_one_line_with_its_own_name(error: Exception, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    async def query(_database: Database) -> None:
        raise error

    with pytest.raises(typer.Exit) as ended, using_store():
        query_service("intake", query)
    assert ended.value.exit_code == 2
    assert capsys.readouterr().err.startswith(message)
