"""Opens the attachment store of the settings."""

from services.intake.attachments.blobs import BlobStore, open_blobs
from services.intake.attachments.clamd import ClamdScanner
from services.intake.attachments.config import AttachmentSettings
from services.intake.attachments.store import AttachmentLimits, AttachmentStore
from shared.contracts.attachments import AttachmentKeys
from shared.runtime.database.database import Database
from shared.runtime.errors import Misconfigured


def open_attachments(settings: AttachmentSettings, database: Database, blobs: BlobStore | None = None) -> AttachmentStore | None:
    """The store, None where none is configured; `blobs` replaces those of the settings. Raises `Misconfigured`."""
    blobs, keys = blobs or open_blobs(settings), AttachmentKeys.parse(settings.attachment_key.get_secret_value())
    if blobs is None:
        return None
    if keys is None:
        raise Misconfigured("JIESU_ATTACHMENT_KEY: a store needs it; set the same secret for intake and sla")
    limits = AttachmentLimits(settings.attachment_max_bytes, frozenset(settings.attachment_types))
    return AttachmentStore(blobs, database, keys, limits, ClamdScanner.parse(settings.attachment_clamd, settings.attachment_clamd_seconds))
