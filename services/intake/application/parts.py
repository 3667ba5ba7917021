"""The parts of intake that every transport uses."""

from dataclasses import dataclass

from services.intake.api_dependencies import Authentication
from services.intake.application.raw_copies import RawCopies
from services.intake.application.registration import RegisterComplaints
from services.intake.application.sources import Sources
from services.intake.application.submission_reading import SubmissionReader
from services.intake.application.supplements import SupplementSigner
from services.intake.attachments.store import AttachmentStore
from services.intake.config import IntakeSettings
from shared.runtime.clock import Clock
from shared.runtime.encryption import EncryptionKeyRing


@dataclass(frozen=True, slots=True)
class IntakeParts:
    """The parts that read and register submissions, made once by `bootstrap`; `signer` is None without JIESU_ACTION_KEY."""

    settings: IntakeSettings
    sources: Sources
    reader: SubmissionReader
    registration: RegisterComplaints
    key_ring: EncryptionKeyRing
    clock: Clock
    signer: SupplementSigner | None
    authentication: Authentication
    raw_copies: RawCopies
    attachments: AttachmentStore | None
