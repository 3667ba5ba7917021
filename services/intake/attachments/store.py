"""Takes attachments in: limits, type by content, scan, storage by SHA-256; and erases them."""

import asyncio
import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from services.intake.attachments import content_types, incoming
from services.intake.attachments.blobs import BlobStore
from services.intake.attachments.clamd import ClamdScanner
from services.intake.storage import attachments
from services.intake.storage.attachments import AttachmentRow
from shared.contracts.attachments import AttachmentKeys
from shared.runtime.database.database import Database, Transaction

_DELETED_AT_ONCE = 100


class AttachmentRefused(ValueError):  # noqa: N818 - names what happened to the file
    """A file that is not taken: `rule` is too_large, empty, type, virus or erased; `remedy` is for the sender."""

    def __init__(self, rule: str, remedy: str) -> None:
        super().__init__(f"attachment: {remedy}")
        self.rule = rule
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class StoredAttachment:
    """A stored file; `reference` is the text by which `attachments` of a submission or an action names it."""

    sha256: str
    name: str
    media_type: str
    size: int
    reference: str


@dataclass(frozen=True, slots=True)
class AttachmentLimits:
    """Limits of a file: bytes at most, and media types by content."""

    max_bytes: int
    media_types: frozenset[str]


class AttachmentStore:
    """The attachments of this service; a scan comes before the storing, so that nothing unscanned can be read."""

    def __init__(
        self, blobs: BlobStore, database: Database, keys: AttachmentKeys, limits: AttachmentLimits, scanner: ClamdScanner | None = None
    ) -> None:
        self.limits = limits
        self.keys = keys
        self._blobs = blobs
        self._database = database
        self._scanner = scanner

    async def put(self, name: str, content: bytes | AsyncIterable[bytes], source: str = "") -> StoredAttachment:
        """Store a content durably under its SHA-256; `source` is who sends it.

        Reads no further than the limit. Raises `AttachmentRefused`, or OSError while store, scanner or database are away.
        """
        with incoming.new_file(self._blobs.incoming) as file:
            path = Path(file.name)
            try:
                sha256, size = await self._receive(file, content)
                if (known := await self.find(sha256)) is not None and known.erased_at is not None:
                    raise _erased()
                media_type = await self._check(path)
                async with self._locked(sha256) as tx:
                    if (known := await attachments.find(tx, sha256)) is not None and known.erased_at is not None:
                        raise _erased()
                    await self._blobs.put(sha256, path)
                    await attachments.upsert(tx, sha256, media_type, size, source)
            finally:
                await asyncio.to_thread(path.unlink, missing_ok=True)
        given_name = content_types.stored_name(name, media_type)
        return StoredAttachment(sha256, given_name, media_type, size, str(self.keys.reference(sha256, given_name)))

    async def find(self, sha256: str) -> AttachmentRow | None:
        """The record of a content; `erased_at` is set for an erased one."""
        async with self._database.transaction() as tx:
            return await attachments.find(tx, sha256)

    async def is_unchanged(self, sha256: str) -> bool:
        """Whether the stored bytes still have their digest; raises `BlobMissingError`."""
        digest = hashlib.sha256()
        async for chunk in self.read(sha256):
            digest.update(chunk)
        return digest.hexdigest() == sha256

    def read(self, sha256: str) -> AsyncIterator[bytes]:
        """The content in pieces; raises `BlobMissingError`."""
        return self._blobs.read(sha256)

    async def erase(self, sha256: str, because: str) -> bool:
        """Delete the content for ever and record why; False for a content that is not stored. Ledgers keep digest and name."""
        async with self._locked(sha256) as tx:
            erased = await attachments.mark_erased(tx, sha256, because)
            # Before the commit: a failure leaves the row as it was, and the erasure is tried again.
            await self._blobs.delete(sha256)
        return erased

    async def renew(self, digests: Collection[str]) -> set[str]:
        """Those of the contents that are stored; `delete_unregistered` counts their age from now on."""
        async with self._database.transaction() as tx:
            return await attachments.renew(tx, digests)

    async def delete_unregistered(self, age: timedelta) -> int:
        """Delete contents of web forms that were not registered within `age`; returns how many."""
        deleted = 0
        while True:
            async with self._database.transaction() as tx:
                digests = await attachments.find_unregistered(tx, age, _DELETED_AT_ONCE)
            if not digests:
                return deleted
            for sha256 in digests:
                async with self._locked(sha256) as tx:
                    if await attachments.delete_unregistered(tx, sha256, age):
                        await self._blobs.delete(sha256)
                        deleted += 1

    async def delete_left_files(self, now: datetime) -> int:
        """Delete files of contents whose process was killed while it received or scanned them; returns how many."""
        return await asyncio.to_thread(incoming.delete_left_files, self._blobs.incoming, now)

    @asynccontextmanager
    async def _locked(self, sha256: str) -> AsyncIterator[Transaction]:
        """A transaction in which row and content of a digest change together: no other one stores or deletes them."""
        async with self._database.transaction() as tx:
            await attachments.lock(tx, sha256)
            yield tx

    async def _receive(self, file: IO[bytes], content: bytes | AsyncIterable[bytes]) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        async for chunk in _pieces(content):
            size += len(chunk)
            if size > self.limits.max_bytes:
                raise AttachmentRefused("too_large", f"send at most {self.limits.max_bytes} bytes")
            digest.update(chunk)
            await asyncio.to_thread(file.write, chunk)
        if not size:
            raise AttachmentRefused("empty", "send a file with content")
        await asyncio.to_thread(file.flush)
        return digest.hexdigest(), size

    async def _check(self, path: Path) -> str:
        media_type = await asyncio.to_thread(content_types.recognise, path)
        if media_type not in self.limits.media_types:
            raise AttachmentRefused("type", f"its content is of another type; send one of {', '.join(sorted(self.limits.media_types))}")
        if self._scanner is not None and await self._scanner.find_virus(path):
            raise AttachmentRefused("virus", "the scanner found malicious content; send a clean file")
        return media_type


def _erased() -> AttachmentRefused:
    # Else any upload of the same bytes would undo an erasure that a person was promised.
    return AttachmentRefused("erased", "this file was erased for good and is not stored again")


async def _pieces(content: bytes | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    if isinstance(content, bytes):
        yield content
    else:
        async for chunk in content:
            yield chunk
