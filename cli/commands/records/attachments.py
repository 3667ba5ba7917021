"""`jiesu attachments`: compare the stored attachments with their digests, and erase one."""

import re
from collections.abc import AsyncIterator
from typing import Annotated

import typer

from cli.attachment_store import CheckedBlobs, open_checked_blobs, using_store
from cli.database import query_service
from cli.exit_status import exit_with
from services.intake.attachments.blobs import BlobMissingError
from services.intake.attachments.config import AttachmentSettings
from services.intake.attachments.setup import open_attachments
from services.intake.attachments.store import AttachmentStore
from services.intake.storage import attachments
from shared.runtime.database.database import Database
from shared.runtime.errors import Misconfigured

app = typer.Typer(no_args_is_help=True, help="Compare the stored attachments with their digests, and erase one.")
_NO_STORE = "JIESU_ATTACHMENT_STORE: is empty; set it as for intake"
_PAGE = 500
_DIGEST = re.compile("[0-9a-f]{64}")


@app.command()
def verify() -> None:
    """Read every stored attachment. Exit status: 0 all have their digest, 1 some are missing or changed, 2 the store cannot be used."""

    async def check(database: Database) -> tuple[int, list[str]]:
        store, checked, faults = _open(settings, database, blobs), 0, list[str]()
        async for sha256 in _stored(database):
            checked += 1
            try:
                if not await store.is_unchanged(sha256):
                    faults.append(f"{sha256}: changed")
            except BlobMissingError:
                faults.append(f"{sha256}: missing")
        return checked, faults

    settings, blobs = _open_blobs()
    with using_store():
        checked, faults = query_service("intake", check)
    for fault in faults:
        typer.echo(fault)
    typer.echo(f"{checked} attachments read, {len(faults)} missing or changed")
    if faults:
        raise typer.Exit(1)


@app.command()
def erase(
    sha256: Annotated[str, typer.Argument(metavar="SHA256", help="the digest, as a case's events name it")],
    because: Annotated[str, typer.Option(help="why; kept with the digest")],
) -> None:
    """Delete an attachment's content for ever. Digest and name stay in the ledgers of the cases that name it."""
    if _DIGEST.fullmatch(sha256) is None:
        exit_with("SHA256: must be 64 hexadecimal digits in small letters")
    if not because.strip():
        exit_with("--because: must say why")
    settings, blobs = _open_blobs()
    with using_store():
        erased = query_service("intake", lambda database: _open(settings, database, blobs).erase(sha256, because.strip()))
    if not erased:
        exit_with(f"{sha256}: no such attachment is stored", 1)
    typer.echo(f"{sha256}: erased")


def _open_blobs() -> tuple[AttachmentSettings, CheckedBlobs]:
    settings = AttachmentSettings()
    blobs = open_checked_blobs(settings)
    if blobs is None:
        exit_with(_NO_STORE)
    return settings, blobs


def _open(settings: AttachmentSettings, database: Database, blobs: CheckedBlobs) -> AttachmentStore:
    try:
        store = open_attachments(settings, database, blobs)
    except Misconfigured as error:
        exit_with(str(error))
    if store is None:
        exit_with(_NO_STORE)
    return store


async def _stored(database: Database) -> AsyncIterator[str]:
    after = ""
    while True:
        async with database.transaction() as tx:
            page = await attachments.list_stored(tx, after, _PAGE)
        for sha256 in page:
            yield sha256
        if len(page) < _PAGE:
            return
        after = page[-1]
