"""Reads raw copies again by the code that read them first: after a map or a reader has been corrected, or a stop came in between.

Registered cases stay unchanged: a replay adds the cases that are missing, and changes none.
"""

import dataclasses
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from services.intake.application.mail.take_mails import VIA_MAIL
from services.intake.application.parts import IntakeParts
from services.intake.application.raw_copies import IncompleteCopyError
from services.intake.application.registration_result import PendingRegistration, RegistrationResult
from services.intake.application.submission_copies import CASE, VIA_HTTP, VIA_KAFKA, copied_origin
from services.intake.channels.json_document import parse_json
from services.intake.domain.submission_faults import SubmissionFault
from services.intake.storage import complaints, imports, raw_copies
from services.intake.storage.raw_copies import RawHead
from services.intake.transports.imports.files.unusable_file import UnusableFileError
from services.intake.transports.imports.importing import CHANNEL as FILE
from services.intake.transports.imports.importing import Imports
from services.intake.transports.imports.setup import make_imports
from services.intake.transports.mail.replay import MailReplay
from services.intake.transports.web_form.form_copies import VIA_FORM, FormCopy, SourceForm
from services.intake.transports.web_form.setup import form_reader, source_forms
from services.intake.transports.webhooks.api import VIA_WEBHOOK
from services.intake.transports.webhooks.reading import WebhookSubmissions
from services.intake.transports.webhooks.setup import webhook_submissions
from shared.contracts.attachments import parse_reference
from shared.runtime.clock import uuid7
from shared.runtime.database.database import Database

IGNORED, UNKNOWN, BUSY, INCOMPLETE = "ignored", "not_replayable", "busy", "incomplete"
_COPIES_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class ReplayedCopy:
    """The result of a raw copy: the number of submissions by result, and the faults of the first refused one."""

    head: RawHead
    counts: Counter[str]
    faults: tuple[SubmissionFault, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplayTools:
    """Dependencies of the replayers."""

    database: Database
    parts: IntakeParts
    work: Imports
    webhooks: dict[str, WebhookSubmissions]
    forms: dict[str, SourceForm]
    mails: MailReplay
    dry_run: bool
    holder: str = field(default_factory=uuid7)


def make_tools(database: Database, parts: IntakeParts, *, dry_run: bool) -> ReplayTools:
    """The tools; raises `ProcedureError` for a map or a file of mailboxes that cannot be used."""
    mails = MailReplay.of(database, parts)
    return ReplayTools(database, parts, make_imports(database, parts), webhook_submissions(parts), source_forms(parts), mails, dry_run)


async def replay(tools: ReplayTools, since: datetime, source: str = "", channel: str = "") -> AsyncIterator[ReplayedCopy]:
    """Read the copies kept since an instant again, in the order in which they came."""
    after = ""
    while True:
        async with tools.database.transaction() as tx:
            heads = await raw_copies.find_heads(tx, since, source, channel, after, _COPIES_AT_ONCE)
        for head in heads:
            yield await replay_copy(tools, head)
        if not heads:
            return
        after = heads[-1].id


async def replay_copy(tools: ReplayTools, head: RawHead) -> ReplayedCopy:
    """Read one copy again; raises `DecryptionError` for one whose key is gone."""
    replayer = REPLAYERS.get(head.channel)
    if replayer is None:
        return ReplayedCopy(head, Counter({UNKNOWN: 1}))
    try:
        return await replayer(tools, head)
    except IncompleteCopyError:
        return ReplayedCopy(head, Counter({INCOMPLETE: 1}))


async def register_missing(tools: ReplayTools, submission: PendingRegistration, via: str) -> RegistrationResult:
    """Register the submission unless its case is registered; for replayers of single submissions."""
    async with tools.database.transaction() as tx:
        known = (await complaints.find_registered(tx, [submission.case])).get(submission.case)
        if known is not None:
            return RegistrationResult("duplicate", submission.case, known.number)
        if tools.dry_run:
            return RegistrationResult("valid")
        [result] = await tools.parts.registration.register_batch(tx, [submission], via)
        return result


async def _replay_json(tools: ReplayTools, head: RawHead) -> ReplayedCopy:
    context = tools.parts.sources.contexts.get(head.source)
    if context is None:
        return ReplayedCopy(head, Counter({UNKNOWN: 1}))
    raw = await tools.parts.raw_copies.open_raw(tools.database, head)
    origin = copied_origin(raw, head.id)
    reading = tools.parts.reader.read(
        parse_json(raw.content),
        context,
        traceparent=None,
        idempotency_key=origin.idempotency_key,
        record_id=origin.record_id,
        accepted_at=origin.accepted_at,
    )
    if isinstance(reading, PendingRegistration):
        reading = await register_missing(tools, dataclasses.replace(reading, case=raw.headers.get(CASE, reading.case)), head.channel)
    return ReplayedCopy(head, Counter({reading.status: 1}), reading.faults)


async def _replay_webhook(tools: ReplayTools, head: RawHead) -> ReplayedCopy:
    submissions = tools.webhooks.get(head.source)
    if submissions is None:
        return ReplayedCopy(head, Counter({UNKNOWN: 1}))
    raw = await tools.parts.raw_copies.open_raw(tools.database, head)
    reading = submissions.read(raw.content)
    if isinstance(reading, PendingRegistration):
        reading = await register_missing(tools, reading, VIA_WEBHOOK)
    return ReplayedCopy(head, Counter({IGNORED if reading is None else reading.status: 1}), reading.faults if reading else ())


async def _replay_file(tools: ReplayTools, head: RawHead) -> ReplayedCopy:
    async with tools.database.transaction() as tx:
        item = await imports.find_import(tx, head.id)
        if item is not None and not tools.dry_run and not item.dry_run:
            await imports.restart(tx, head.id)
    if item is None or item.dry_run:
        return ReplayedCopy(head, Counter({IGNORED: 1}))
    try:
        counts = await tools.work.check(item) if tools.dry_run else None
    except UnusableFileError as error:
        return ReplayedCopy(head, Counter({"refused": 1}), (error.fault,))
    if counts is None:
        done = await tools.work.run(head.id, tools.holder)
        if done is None:
            return ReplayedCopy(head, Counter({BUSY: 1}))
        fault = orjson.loads(done.fault) if done.fault else None
        counts = Counter(orjson.loads(done.counts))
        return ReplayedCopy(head, counts or Counter({"refused": 1}), (SubmissionFault(**fault),) if fault else ())
    return ReplayedCopy(head, counts)


async def _replay_mail(tools: ReplayTools, head: RawHead) -> ReplayedCopy:
    raw = await tools.parts.raw_copies.open_raw(tools.database, head)
    outcome = await tools.mails.replay(tools.database, raw, dry_run=tools.dry_run)
    return ReplayedCopy(head, Counter({outcome or UNKNOWN: 1}))


async def _replay_form(tools: ReplayTools, head: RawHead) -> ReplayedCopy:
    form = tools.forms.get(head.source)
    if form is None:
        return ReplayedCopy(head, Counter({UNKNOWN: 1}))
    async with tools.database.transaction() as tx:
        superseded = await raw_copies.has_later(tx, head)
    if superseded:
        # The complainant corrected the form and sent it again: that copy is read.
        return ReplayedCopy(head, Counter({IGNORED: 1}))
    copy = FormCopy.from_raw(await tools.parts.raw_copies.open_raw(tools.database, head))
    stored = await _stored_references(tools, copy.references)
    reading = form_reader(tools.parts).read(form, dataclasses.replace(copy, references=stored))
    if isinstance(reading, PendingRegistration):
        lost = ("attachments",) if len(stored) < len(copy.references) else ()
        reading = dataclasses.replace(reading, unreadable=tuple(dict.fromkeys((*reading.unreadable, *lost))))
        reading = await register_missing(tools, reading, VIA_FORM)
    return ReplayedCopy(head, Counter({reading.status: 1}), reading.faults)


async def _stored_references(tools: ReplayTools, texts: Sequence[str]) -> list[str]:
    """The references without those of contents that were deleted or erased since the form was sent."""
    named = {text: reference.sha256 for text in texts if (reference := parse_reference(text)) is not None}
    if tools.parts.attachments is None or not named:
        return list(named)
    stored = await tools.parts.attachments.renew(set(named.values()))
    return [text for text, sha256 in named.items() if sha256 in stored]


REPLAYERS: dict[str, Callable[[ReplayTools, RawHead], Awaitable[ReplayedCopy]]] = {
    VIA_HTTP: _replay_json,
    VIA_KAFKA: _replay_json,
    VIA_WEBHOOK: _replay_webhook,
    FILE: _replay_file,
    VIA_MAIL: _replay_mail,
    VIA_FORM: _replay_form,
}
"""Channel of a raw copy → what reads it again; a transport adds its own line."""
