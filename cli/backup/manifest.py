"""Verifies a base backup by its manifest: every file is there, with its size and its SHA-256."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import Any

import orjson

from shared.runtime.errors import Unavailable

_MANIFEST_CHECKSUM = b'"Manifest-Checksum"'


def verify_base_backup(folder: Path) -> None:
    """Raise `Unavailable` unless the backup is whole.

    In place of pg_verifybackup, which crashes in the wheel that the embedded server comes from, and is absent where only the server is.
    """
    try:
        for entry in _entries((folder / "backup_manifest").read_bytes(), folder):
            _verify_file(folder, entry)
    except (ValueError, KeyError, TypeError) as error:
        raise Unavailable(f"{folder}: its manifest cannot be read: {error!r}; take another base backup") from error
    except FileNotFoundError as error:
        raise Unavailable(f"{folder}: {Path(str(error.filename)).relative_to(folder)} is missing; take another base backup") from error


def _entries(manifest: bytes, folder: Path) -> list[dict[str, Any]]:
    document = orjson.loads(manifest)
    # The checksum is of all bytes before the line that holds it.
    digest = hashlib.sha256(manifest[: manifest.rindex(_MANIFEST_CHECKSUM)]).hexdigest()
    if not hmac.compare_digest(digest, document["Manifest-Checksum"]):
        raise Unavailable(f"{folder}: its manifest was changed; take another base backup")
    entries: list[dict[str, Any]] = document["Files"]
    return entries


def _verify_file(folder: Path, entry: dict[str, Any]) -> None:
    name = entry["Path"] if "Path" in entry else bytes.fromhex(entry["Encoded-Path"]).decode()
    with (folder / name).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != entry["Checksum"] or (folder / name).stat().st_size != entry["Size"]:
        raise Unavailable(f"{folder}: {name} was changed; take another base backup")
