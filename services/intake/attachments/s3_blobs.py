"""Keeps attachments in an S3-compatible store, through obstore."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from services.intake.attachments.blobs import CHUNK_BYTES, BlobMissingError
from services.intake.attachments.config import AttachmentSettings

if TYPE_CHECKING:
    from obstore.store import S3Config

_TIMEOUT = timedelta(seconds=30)
_RETRY = timedelta(seconds=10)


class S3Blobs:
    """A bucket with an object for each content; `incoming` is a folder of this machine."""

    def __init__(self, settings: AttachmentSettings, bucket: str, prefix: str, incoming: Path) -> None:
        self.incoming = incoming
        # One DELETE a key: not every S3-compatible server has DeleteObjects, S3Proxy answers it with 501.
        config: S3Config = {"region": settings.attachment_s3_region, "disable_bulk_delete": True}
        if settings.attachment_s3_endpoint:
            config["endpoint"] = settings.attachment_s3_endpoint
        if key := settings.attachment_s3_access_key.get_secret_value():
            config |= {"access_key_id": key, "secret_access_key": settings.attachment_s3_secret_key.get_secret_value()}
        self._store = S3Store(
            bucket,
            prefix=prefix or None,
            config=config,
            client_options={"allow_http": settings.attachment_s3_endpoint.startswith("http://"), "timeout": _TIMEOUT},
            retry_config={"max_retries": 3, "retry_timeout": _RETRY},
        )

    async def put(self, sha256: str, path: Path) -> None:
        """Upload the file; large ones in parts, which the store joins at the end or not at all."""
        try:
            await obstore.put_async(self._store, _key(sha256), path)
        except BaseError as error:
            raise _outage(error) from error

    async def read(self, sha256: str) -> AsyncIterator[bytes]:
        """The content in pieces; raises `BlobMissingError`."""
        try:
            result = await obstore.get_async(self._store, _key(sha256))
            async for chunk in result.stream(min_chunk_size=CHUNK_BYTES):
                yield bytes(chunk)
        except FileNotFoundError:
            await self._require_bucket()
            raise BlobMissingError(sha256) from None
        except BaseError as error:
            raise _outage(error) from error

    async def delete(self, sha256: str) -> None:
        """Delete the object; a bucket with versions keeps the old one until its own rules remove it."""
        try:
            await obstore.delete_async(self._store, _key(sha256))
        except FileNotFoundError:
            await self._require_bucket()
        except BaseError as error:
            raise _outage(error) from error

    async def _require_bucket(self) -> None:
        """Raise OSError if the bucket does not exist: its answer to a request for an object is the same as that for a missing object."""
        try:
            await obstore.list_with_delimiter_async(self._store)
        except (FileNotFoundError, BaseError) as error:
            raise _outage(error) from error


def _key(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256[2:]}"


def _outage(error: BaseError | FileNotFoundError) -> OSError:
    # obstore's text holds the request and the answer; the class alone says enough, and the runtime knows OSError as an outage.
    return OSError(f"the attachment store failed: {type(error).__name__}")
