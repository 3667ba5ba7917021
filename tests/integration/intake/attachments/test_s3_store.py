"""The S3 store against S3Proxy, which checks signatures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from services.intake.attachments.blobs import BlobMissingError, open_blobs
from services.intake.attachments.config import AttachmentSettings
from services.intake.attachments.s3_blobs import S3Blobs
from tests.integration.intake.attachments.conftest import JPEG, IntakeWith
from tests.integration.intake.attachments.test_attachments import DIGEST, address, upload
from tests.support.servers.s3proxy import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server, running_s3proxy


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One S3Proxy for the session; skips where its jars cannot be fetched."""
    with running_s3proxy(tmp_path_factory.mktemp("s3")) as server:
        yield server


def store_settings(s3: S3Server, secret: str = SECRET_KEY) -> dict[str, Any]:
    return {
        "attachment_store": f"s3://{BUCKET}/intake",
        "attachment_s3_endpoint": s3.endpoint,
        "attachment_s3_access_key": SecretStr(ACCESS_KEY),
        "attachment_s3_secret_key": SecretStr(secret),
    }


async def content(blobs: S3Blobs, digest: str) -> bytes:
    return b"".join([chunk async for chunk in blobs.read(digest)])


async def test_contents_are_put_read_and_deleted(s3: S3Server, tmp_path: Path) -> None:
    blobs = open_blobs(AttachmentSettings(**store_settings(s3)))
    assert isinstance(blobs, S3Blobs)
    large = tmp_path / "large"
    large.write_bytes(b"0123456789" * 1_200_000)  # in parts of 5 MiB
    await blobs.put("a" * 64, large)
    assert await content(blobs, "a" * 64) == large.read_bytes()
    assert (s3.folder / "intake" / "aa" / ("a" * 62)).stat().st_size == 12_000_000
    for _ in range(2):
        await blobs.delete("a" * 64)
    with pytest.raises(BlobMissingError):
        await content(blobs, "a" * 64)


async def test_refusing_store_is_an_outage(s3: S3Server, tmp_path: Path) -> None:
    blobs = open_blobs(AttachmentSettings(**store_settings(s3, "another secret")))
    assert blobs is not None
    (tmp_path / "file").write_bytes(JPEG)
    with pytest.raises(OSError, match="attachment store failed"):
        await blobs.put(DIGEST, tmp_path / "file")


async def test_missing_bucket_is_an_outage_and_no_missing_content(s3: S3Server) -> None:
    blobs = open_blobs(AttachmentSettings(**{**store_settings(s3), "attachment_store": "s3://no-such-bucket/intake"}))
    assert isinstance(blobs, S3Blobs)
    with pytest.raises(OSError, match="attachment store failed"):
        await content(blobs, "a" * 64)
    with pytest.raises(OSError, match="attachment store failed"):
        await blobs.delete("a" * 64)


async def test_upload_and_reading_through_the_service(s3: S3Server, intake_with: IntakeWith) -> None:
    async with intake_with(**store_settings(s3)) as (_, client):
        assert (await upload(client)).status_code == 201
        assert (await client.get(address())).content == JPEG
        (s3.folder / "intake" / DIGEST[:2] / DIGEST[2:]).write_bytes(b"changed")
        assert (await client.get(address())).status_code == 500
