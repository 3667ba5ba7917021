"""Takes a sent form: token, files, fields, registration; and the content of the page after each."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from services.intake import metrics
from services.intake.application.group_commit import GroupCommit
from services.intake.application.raw_copies import RawCopies
from services.intake.application.registration_result import PendingRegistration, RegistrationResult, refused_submission
from services.intake.attachments.store import AttachmentRefused, AttachmentStore
from services.intake.channels.web_form import FormReading
from services.intake.storage import complaints, refusals
from services.intake.storage.attachments import FORM_SOURCE
from services.intake.transports.web_form.form_copies import VIA_FORM, FormCopy, FormReader, SourceForm
from services.intake.transports.web_form.form_page import TRAP, TypedForm
from services.intake.transports.web_form.form_token import FormToken
from services.intake.transports.web_form.sent_form import SentFile, SentForm
from shared.contracts.attachments import parse_reference
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from shared.runtime.process.failures import is_infrastructure, redacted_reason

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReceivedComplaint:
    """A complaint that was registered, now or (`again`) when the form was sent before."""

    case: str
    number: str
    again: bool
    anonymous: bool


class SubmitForm:
    """Registers the complaint of a form, exactly once for each opened form."""

    def __init__(
        self,
        reader: FormReader,
        group_commit: GroupCommit[PendingRegistration, RegistrationResult],
        raw_copies: RawCopies,
        database: Database,
        clock: Clock,
        attachments: AttachmentStore | None,
    ) -> None:
        self._reader = reader
        self._group_commit = group_commit
        self._raw_copies = raw_copies
        self._database = database
        self._clock = clock
        self._attachments = attachments

    async def submit(self, source: SourceForm, token: FormToken, sent: SentForm) -> ReceivedComplaint | TypedForm:
        """The registered complaint, or the form to show again with typed fields, received files and faults."""
        if sent.values.get(TRAP, ""):
            return _shown_again(sent, sent.kept, form_fault="trap")
        key, references = _key(token), list(sent.kept)
        try:
            known = await self._find(source, key)
            if known is not None:
                return known
            file_faults = await self._renew_files(references)
            file_faults += await self._store_files(source, sent, references)
            copy = FormCopy(key, sent.values, references, self._clock.now())
            await self._keep(source, copy)
            reading = self._reader.fields(source, copy)
            if reading.faults or file_faults:
                return _shown_again(sent, references, faults=dict(reading.faults), file_faults=file_faults)
            return await self._register(source, copy, sent, reading)
        except Exception as error:
            if not is_infrastructure(error):
                raise
            log.warning("a form could not be registered", reason=redacted_reason(error))
            return _shown_again(sent, references, form_fault="unavailable")

    async def _keep(self, source: SourceForm, copy: FormCopy) -> None:
        # In a transaction of its own, before the reading: a form that is refused, or cannot be read, can be replayed.
        async with self._database.transaction() as tx:
            await self._raw_copies.keep_raw(tx, copy.to_raw(source.context.source.id))

    async def _register(self, source: SourceForm, copy: FormCopy, sent: SentForm, reading: FormReading) -> ReceivedComplaint | TypedForm:
        pending = self._reader.submission(source, copy, reading)
        metrics.RECEIVED.labels(VIA_FORM).inc()
        if isinstance(pending, RegistrationResult):
            await self._store_refusal(source, pending)
            return _shown_again(sent, copy.references, form_fault="refused")
        [result] = await self._group_commit.submit([pending])
        if result.status == "refused":
            # Sent twice at once: the other one was first, and its time of receipt is another.
            known = await self._find(source, copy.key)
            return known or _shown_again(sent, copy.references, form_fault="refused")
        return ReceivedComplaint(
            result.case, result.number, again=result.status != "registered", anonymous=pending.submission.complainant.anonymous
        )

    async def _find(self, source: SourceForm, key: str) -> ReceivedComplaint | None:
        """The complaint of a form that was sent before: a second click, or the page sent again from the browser's history."""
        case = source.case(key)
        async with self._database.transaction() as tx:
            known = (await complaints.find_registered(tx, [case])).get(case)
        return None if known is None else ReceivedComplaint(case, known.number, again=True, anonymous=False)

    async def _renew_files(self, references: list[str]) -> list[tuple[str, str]]:
        """Remove the references of files that were deleted since an earlier try; returns name and rule of each."""
        if self._attachments is None or not references:
            return []
        named = {text: reference for text in references if (reference := parse_reference(text)) is not None}
        stored = await self._attachments.renew({reference.sha256 for reference in named.values()})
        references[:] = [text for text, reference in named.items() if reference.sha256 in stored]
        return [(reference.name, "deleted") for reference in named.values() if reference.sha256 not in stored]

    async def _store_files(self, source: SourceForm, sent: SentForm, references: list[str]) -> list[tuple[str, str]]:
        """Store the files and add their references to those of earlier tries; returns name and rule of each that is not taken."""
        limit, faults = source.description.max_files, list[tuple[str, str]]()
        del references[limit:]
        if self._attachments is None:
            return faults
        for file in sent.files:
            if len(references) >= limit:
                faults.append((file.name, "too_many"))
                continue
            try:
                stored = await self._attachments.put(file.name, _content(file), f"{FORM_SOURCE}{source.context.source.id}")
            except AttachmentRefused as refusal:
                metrics.ATTACHMENTS.labels(refusal.rule).inc()
                faults.append((file.name, refusal.rule))
            else:
                metrics.ATTACHMENTS.labels("stored").inc()
                if stored.reference not in references:
                    references.append(stored.reference)
        return faults

    async def _store_refusal(self, source: SourceForm, result: RegistrationResult) -> None:
        async with self._database.transaction() as tx:
            await refusals.insert_refusals(tx, [refused_submission(result, VIA_FORM, source.context.source.id, "")])
        metrics.count_refused(VIA_FORM, result.reason)


def genuine_references(attachments: AttachmentStore | None, texts: Sequence[str]) -> list[str]:
    """Those of the references, which the page carried, that intake signed."""
    if attachments is None:
        return []
    references = [(text, parse_reference(text)) for text in texts]
    return [text for text, reference in references if reference is not None and attachments.keys.is_genuine(reference)]


def _key(token: FormToken) -> str:
    return f"form {token.nonce}"


def _shown_again(sent: SentForm, references: Sequence[str], **faults: Any) -> TypedForm:
    return TypedForm(values=sent.values, kept=references, sent_files=len(sent.files) + len(sent.kept), **faults)


async def _content(file: SentFile) -> AsyncIterator[bytes]:
    while chunk := await file.upload.read(65_536):
        yield chunk
