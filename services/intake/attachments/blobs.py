"""Stores the content of attachments by its SHA-256: in a folder, or in an S3-compatible store."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from services.intake.attachments.config import AttachmentSettings
from shared.runtime.errors import Misconfigured

if TYPE_CHECKING:
    from services.intake.attachments.s3_blobs import S3Blobs

CHUNK_BYTES = 262_144
_S3_SCHEME = "s3://"


class BlobMissingError(LookupError):
    """The store has no content of that digest."""


class BlobStore(Protocol):
    """Contents by their SHA-256 in hex digits; an outage raises OSError."""

    incoming: Path
    """The folder of files that are being received."""

    async def put(self, sha256: str, path: Path) -> None:
        """Keep the file's content durably; the file itself may be moved."""
        ...

    def read(self, sha256: str) -> AsyncIterator[bytes]:
        """The content in pieces; raises `BlobMissingError`."""
        ...

    async def delete(self, sha256: str) -> None:
        """Remove the content; nothing where there is none."""
        ...


class FolderBlobs:
    """A folder with a file for each content, in sub-folders by the first two digits; several processes may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Inside the store: a rename is atomic only within one file system.
        self.incoming = folder / "incoming"
        new = [path for path in (self.incoming, *self.incoming.parents) if not path.exists()]
        self.incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in new:
            _sync(path.parent)

    async def put(self, sha256: str, path: Path) -> None:
        """Move the file into place once its bytes are on the disk."""
        await asyncio.to_thread(self._move, sha256, path)

    async def read(self, sha256: str) -> AsyncIterator[bytes]:
        """The content in pieces; raises `BlobMissingError`."""
        try:
            file = await asyncio.to_thread(self._path(sha256).open, "rb")
        except FileNotFoundError:
            raise BlobMissingError(sha256) from None
        with file:
            while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                yield chunk

    async def delete(self, sha256: str) -> None:
        """Remove the file."""
        await asyncio.to_thread(self._path(sha256).unlink, missing_ok=True)

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256[2:]

    def _move(self, sha256: str, path: Path) -> None:
        target = self._path(sha256)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        _sync(path)
        path.replace(target)
        # Without these the names, not the bytes, may be lost when the machine stops.
        _sync(target.parent)
        # Whoever made the sub-folder: another process may have stopped before it got here.
        _sync(self._folder)


def open_blobs(settings: AttachmentSettings) -> "FolderBlobs | S3Blobs | None":
    """The store of the settings, None without one; raises `Misconfigured`."""
    location = settings.attachment_store
    if not location:
        return None
    if not location.startswith(_S3_SCHEME):
        try:
            return FolderBlobs(Path(location))
        except OSError as error:
            raise Misconfigured(f"JIESU_ATTACHMENT_STORE: the folder cannot be written ({error.strerror}); name another") from error
    try:
        # Loaded only where it is used: the extra `s3` is not installed everywhere.
        from services.intake.attachments.s3_blobs import S3Blobs  # noqa: PLC0415
    except ImportError as error:
        raise Misconfigured("JIESU_ATTACHMENT_STORE: an s3:// store needs the extra s3; install jiesu[s3]") from error
    bucket, _, prefix = location.removeprefix(_S3_SCHEME).partition("/")
    return S3Blobs(settings, bucket, prefix.strip("/"), Path(tempfile.gettempdir()))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
