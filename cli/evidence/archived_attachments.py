"""The attachments of a case in its evidence archive: the files themselves, and which of them could not be included."""

import hashlib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from services.intake.attachments.blobs import BlobMissingError, BlobStore
from services.sla.attachments.access import stored_references
from services.sla.evidence.archive import (
    ATTACHMENT_FOLDER,
    ATTACHMENT_LISTING,
    ERASED,
    INCLUDED,
    MISSING,
    NO_STORE,
    ArchiveError,
)

MAX_ATTACHMENT_BYTES = 20_000_000_000
"""Limit against zip bombs for all attachments of an archive together."""
_CHUNK_BYTES = 1_048_576


@dataclass(slots=True)
class CollectedAttachments:
    """The files of a case's attachments, by their names in the archive; `changed` lists digests that the store no longer holds to."""

    listing: list[dict[str, str]] = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)


def named_attachments(events: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Digest and name of every stored attachment that the events name, each once, in order."""
    return list(dict.fromkeys((reference.sha256, reference.name) for event in events for reference in stored_references(event)))


async def collect_attachments(
    events: Sequence[Mapping[str, Any]], blobs: BlobStore | None, erased: Mapping[str, str], folder: Path
) -> CollectedAttachments:
    """Copy the attachments of the events into the folder; `erased` maps erased digests to the reason."""
    collected = CollectedAttachments()
    for sha256, name in named_attachments(events):
        state = ERASED if sha256 in erased else NO_STORE if blobs is None else INCLUDED
        if state == INCLUDED and blobs is not None and sha256 not in collected.changed:
            state = await _copy(blobs, sha256, folder / sha256)
            if state == INCLUDED:
                collected.files[f"{ATTACHMENT_FOLDER}{sha256}"] = folder / sha256
            elif state == "changed":
                collected.changed.append(sha256)
        collected.listing.append({"sha256": sha256, "name": name, "state": state, "because": erased.get(sha256, "")})
    return collected


async def _copy(blobs: BlobStore, sha256: str, path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("wb") as file:
            async for chunk in blobs.read(sha256):
                digest.update(chunk)
                file.write(chunk)
    except BlobMissingError:
        return MISSING
    return INCLUDED if digest.hexdigest() == sha256 else "changed"


def read_digests(path: Path) -> dict[str, str]:
    """The SHA-256 of each attachment of an archive, by the name that it has there; raises `ArchiveError`."""
    digests = {}
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if entry.filename.startswith(ATTACHMENT_FOLDER)]
            if sum(entry.file_size for entry in entries) > MAX_ATTACHMENT_BYTES:
                raise ArchiveError(f"its attachments unpack to more than {MAX_ATTACHMENT_BYTES} bytes")
            for entry in entries:
                digest = hashlib.sha256()
                with archive.open(entry) as file:
                    while chunk := file.read(_CHUNK_BYTES):
                        digest.update(chunk)
                digests[entry.filename.removeprefix(ATTACHMENT_FOLDER)] = digest.hexdigest()
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:  # the last two: unknown compression, encryption
        raise ArchiveError(f"cannot be read: {error}") from error
    return digests


def attachment_faults(files: Mapping[str, bytes], events: Sequence[Mapping[str, Any]], digests: Mapping[str, str]) -> Iterator[str]:
    """Faults of an archive's attachments; the ledger's own hashes bind the digests that its events name."""
    try:
        listing = [
            (str(entry["sha256"]), str(entry["name"]), str(entry["state"])) for entry in orjson.loads(files.get(ATTACHMENT_LISTING, b"[]"))
        ]
    except (ValueError, KeyError, TypeError) as error:
        yield f"{ATTACHMENT_LISTING} cannot be read: {error!r}"
        return
    named = named_attachments(events)
    if [(sha256, name) for sha256, name, _ in listing] != named:
        yield f"{ATTACHMENT_LISTING} does not list the attachments that the events name"
    for sha256, name, state in listing:
        if state == INCLUDED and sha256 not in digests:
            yield f"the attachment {name} is missing"
    for sha256, digest in digests.items():
        if sha256 != digest:
            yield f"the attachment {sha256} was changed"
        elif sha256 not in {known for known, _ in named}:
            yield f"the attachment {sha256} is named by no event"
