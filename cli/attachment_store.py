"""The attachment store of the commands, with different errors for an unreachable store, an unreachable database and a missing content."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.exit_status import exit_with
from services.intake.attachments.blobs import BlobMissingError, BlobStore, open_blobs
from services.intake.attachments.config import AttachmentSettings
from shared.runtime.errors import Misconfigured

_UNUSABLE = "the store cannot be used"
_FOLDER_REMEDY = "check JIESU_ATTACHMENT_STORE, and that the folder is mounted; intake creates `incoming` in it"


class StoreUnavailableError(Exception):
    """The attachment store cannot be used at the moment; not an OSError, which `query_service` takes for one of the database."""


class CheckedBlobs:
    """A blob store whose outages are `StoreUnavailableError`; a content is missing only where the store itself is there."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self.incoming = blobs.incoming

    async def put(self, sha256: str, path: Path) -> None:
        """Keep the file's content."""
        with _outages():
            await self._blobs.put(sha256, path)

    async def read(self, sha256: str) -> AsyncIterator[bytes]:
        """The content in pieces; raises `BlobMissingError` or `StoreUnavailableError`."""
        with _outages():
            try:
                async for chunk in self._blobs.read(sha256):
                    yield chunk
            except BlobMissingError:
                await self._require_folder()
                raise

    async def delete(self, sha256: str) -> None:
        """Remove the content."""
        await self._require_folder()
        with _outages():
            await self._blobs.delete(sha256)

    async def _require_folder(self) -> None:
        if not await asyncio.to_thread(self.incoming.is_dir):
            raise StoreUnavailableError(f"{self.incoming} does not exist; {_FOLDER_REMEDY}")


def open_checked_blobs(settings: AttachmentSettings) -> CheckedBlobs | None:
    """The store of the settings, None without one; ends the command where it cannot be used."""
    location = settings.attachment_store
    # `open_blobs` creates the folder: one that is not mounted would be an empty store, in which every content is missing.
    if location and "://" not in location and not (Path(location) / "incoming").is_dir():
        exit_with(f"{_UNUSABLE}: {Path(location) / 'incoming'} does not exist; {_FOLDER_REMEDY}")
    try:
        blobs = open_blobs(settings)
    except Misconfigured as error:
        exit_with(str(error))
    return CheckedBlobs(blobs) if blobs is not None else None


@contextmanager
def using_store() -> Iterator[None]:
    """End the command if the store cannot be used."""
    try:
        yield
    except StoreUnavailableError as error:
        exit_with(f"{_UNUSABLE}: {error}")


@contextmanager
def _outages() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise StoreUnavailableError(f"{place}{error.strerror or error}") from error
