"""Keeps submissions as they arrived, sealed like contact data, so that they can be read again after a fault of a mapping or reader."""

import asyncio
import base64
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.intake.storage import raw_copies
from services.intake.storage.raw_copies import RawHead, SealedPart
from shared.runtime.clock import uuid7
from shared.runtime.database.database import Database, Transaction
from shared.runtime.encryption import EncryptionKeyRing

PART_BYTES = 1_000_000
_FAST = 1  # zlib's level: copies are written for each submission and read almost never


@dataclass(frozen=True, slots=True)
class RawSubmission:
    """A raw message: `channel` is the transport (http, kafka, mail, file, webhook, form), `reference` the sender's own name for it, if any.

    `headers` are those that reading it again needs; secrets and signatures do not belong there.
    """

    source: str
    channel: str
    reference: str
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class IncompleteCopyError(Exception):
    """A part of a copy is missing, as in the midst of its deletion."""


class RawCopies:
    """Seals and opens raw copies with the key ring; the id of a copy is authenticated with each part."""

    def __init__(self, key_ring: EncryptionKeyRing) -> None:
        self._key_ring = key_ring

    async def keep_raw(self, tx: Transaction, raw: RawSubmission) -> str:
        """Keep a copy in the transaction; returns its id."""
        [raw_id] = await self.keep_all(tx, [raw])
        return raw_id

    async def keep_all(self, tx: Transaction, copies: Sequence[RawSubmission]) -> list[str]:
        """Keep copies by one statement of the transaction; returns their ids."""
        ids = [uuid7() for _ in copies]
        sealed: list[SealedPart] = []
        for raw_id, raw in zip(ids, copies, strict=True):
            size = len(raw.content)
            sealed += [
                self._seal(raw_id, part, raw, raw.content[start : start + PART_BYTES], is_last=start + PART_BYTES >= size)
                for part, start in enumerate(range(0, max(size, 1), PART_BYTES))
            ]
            # A batch of 8 MB takes 0.2 s to seal.
            await asyncio.sleep(0)
        if sealed:
            await raw_copies.insert_parts(tx, sealed)
        return ids

    async def keep_part(self, tx: Transaction, raw_id: str, part: int, raw: RawSubmission, *, is_last: bool) -> None:
        """Keep one part of a copy that is larger than memory should hold: `raw.content` is the part's, of at most `PART_BYTES`."""
        await raw_copies.insert_parts(tx, [self._seal(raw_id, part, raw, raw.content, is_last=is_last)])

    async def open_raw(self, database: Database, head: RawHead) -> RawSubmission:
        """The whole copy; raises `DecryptionError` or `IncompleteCopyError`."""
        parts = [part async for part in self._documents(database, head)]
        return RawSubmission(head.source, head.channel, head.reference, b"".join(map(_content, parts)), parts[0]["headers"])

    async def open_parts(self, database: Database, head: RawHead) -> AsyncIterator[bytes]:
        """The content part by part; raises `DecryptionError` or `IncompleteCopyError`."""
        async for document in self._documents(database, head):
            yield _content(document)

    async def _documents(self, database: Database, head: RawHead) -> AsyncIterator[dict[str, Any]]:
        part, is_last = 0, False
        while not is_last:
            # A transaction for each part: the caller may take long between two of them.
            async with database.transaction() as tx:
                sealed = await raw_copies.find_sealed(tx, head.id, part)
            if sealed is None:
                raise IncompleteCopyError(head.id)
            document = self._key_ring.decrypt(sealed, _associated(head.id, part))
            part, is_last = part + 1, document["is_last"]
            yield document

    def _seal(self, raw_id: str, part: int, raw: RawSubmission, content: bytes, *, is_last: bool) -> SealedPart:
        # With the mark of the last part, a missing part does not pass for the end of the copy.
        document = {"content": base64.b64encode(zlib.compress(content, _FAST)).decode(), "headers": dict(raw.headers), "is_last": is_last}
        return SealedPart(raw_id, part, raw.source, raw.channel, raw.reference, self._key_ring.encrypt(document, _associated(raw_id, part)))


def _content(document: Mapping[str, Any]) -> bytes:
    return zlib.decompress(base64.b64decode(document["content"]))


def _associated(raw_id: str, part: int) -> str:
    return f"raw {raw_id} {part}"
