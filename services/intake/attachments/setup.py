"""Opens the attachment store of the settings, and deletes files of unregistered forms and of killed processes."""

import asyncio
from datetime import timedelta

import structlog

from services.intake.attachments.blobs import BlobStore, open_blobs
from services.intake.attachments.clamd import ClamdScanner
from services.intake.attachments.config import AttachmentSettings
from services.intake.attachments.store import AttachmentLimits, AttachmentStore
from shared.contracts.attachments import AttachmentKeys
from shared.runtime.database.database import Database
from shared.runtime.errors import Misconfigured
from shared.runtime.process.failures import redacted_reason
from shared.runtime.process.waiting import sleep_or_stop
from shared.runtime.service import Service

_HOUR_SECONDS = 3600
log = structlog.get_logger(__name__)


def open_attachments(settings: AttachmentSettings, database: Database, blobs: BlobStore | None = None) -> AttachmentStore | None:
    """The store, None where none is configured; `blobs` replaces those of the settings. Raises `Misconfigured`."""
    blobs, keys = blobs or open_blobs(settings), AttachmentKeys.parse(settings.attachment_key.get_secret_value())
    if blobs is None:
        return None
    if keys is None:
        raise Misconfigured("JIESU_ATTACHMENT_KEY: a store needs it; set the same secret for intake and sla")
    limits = AttachmentLimits(settings.attachment_max_bytes, frozenset(settings.attachment_types))
    return AttachmentStore(blobs, database, keys, limits, ClamdScanner.parse(settings.attachment_clamd, settings.attachment_clamd_seconds))


def register(service: Service, store: AttachmentStore | None, form_age: timedelta) -> None:
    """Add the deletion, at start and hourly, of files of forms that were not registered within `form_age`, and of files left by a kill."""
    if store is None:
        return

    async def delete_files(stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await store.delete_left_files(service.clock.real_now())
                await store.delete_unregistered(form_age)
            except OSError as error:
                # The store is away: that concerns uploads and readings, and the process stays ready.
                log.warning("files of the attachment store could not be deleted", reason=redacted_reason(error))
            await sleep_or_stop(stop, _HOUR_SECONDS)

    service.add_background_loop("attachment-files", delete_files)
