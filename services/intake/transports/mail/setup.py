"""Mail in: mailboxes read by IMAP, and a port for SMTP or LMTP; JIESU_MAILBOXES names the file that lists them."""

import asyncio
from datetime import timedelta

from services.intake import metrics
from services.intake.application.mail.mail_intake import MailIntake
from services.intake.application.mail.mail_reading import AttachmentNotStored, MailReader, StoreAttachment
from services.intake.application.mail.mail_records import MailRecords
from services.intake.application.mail.mailbox import IncomingMail, Mailbox, envelope_headers
from services.intake.application.mail.take_mails import ACKNOWLEDGEMENT_INTERVAL, VIA_MAIL, KeepRawMail, TakeMails
from services.intake.application.parts import IntakeParts
from services.intake.application.raw_copies import RawSubmission
from services.intake.attachments.clamd import NotScannedError
from services.intake.attachments.store import AttachmentRefused, AttachmentStore
from services.intake.channels.mail.decision import MailboxRules
from services.intake.storage import mails
from services.intake.transports.mail.config import MailboxesFile, MailboxSettings, load_mailboxes
from services.intake.transports.mail.imap_mailbox import ImapMailbox
from services.intake.transports.mail.smtp_port import MailHandler, SmtpPort
from shared.contracts.mail.references import mail_key
from shared.runtime.database.database import Database, Transaction
from shared.runtime.process.supervision import BackgroundLoop
from shared.runtime.process.waiting import sleep_or_stop
from shared.runtime.service import Service
from shared.runtime.tracing.spans import Tracing

_DELETE_SECONDS = 3600.0
_DUPLICATES_KEPT = timedelta(days=90)
_GROUP_ITEMS = 50


def register(service: Service, parts: IntakeParts) -> None:
    """Add a loop for each mailbox and one for the port; raises `ProcedureError` for a file that cannot be used."""
    if parts.settings.mailboxes is None:
        return
    file = load_mailboxes(parts.settings.mailboxes, parts.sources.contexts)
    mailboxes = open_mailboxes(parts, file)
    intake = mail_intake(service.database, parts, _keep_raw(parts), service.tracing)
    for settings in file.mailboxes:
        if settings.imap is not None:
            metrics.MAILBOX_UP.labels(settings.id)
            mailbox = ImapMailbox(mailboxes[settings.id], settings.imap, intake, service.database, service.clock, file.max_bytes)
            service.add_background_loop(f"mailbox-{settings.id}", mailbox.run)
    if file.port is not None:
        by_address = {address: mailboxes[settings.id] for settings in file.mailboxes for address in settings.addresses}
        handler = MailHandler(by_address, _references_key(parts), intake, service.clock)
        service.add_background_loop("mail-port", SmtpPort(file.port, handler, file.max_bytes).run)
    service.add_background_loop("mail-retention", _deletion(service))


def open_mailboxes(parts: IntakeParts, file: MailboxesFile) -> dict[str, Mailbox]:
    """The mailboxes of the file by id."""
    return {settings.id: _mailbox(settings, file, parts, _references_key(parts)) for settings in file.mailboxes}


def mail_intake(database: Database, parts: IntakeParts, keep_raw: KeepRawMail | None = None, tracing: Tracing | None = None) -> MailIntake:
    """The use case that takes the mails of every transport."""
    records = MailRecords(parts.key_ring, parts.clock)
    take = TakeMails(parts.reader, parts.registration, parts.signer, parts.key_ring, records, parts.clock, keep_raw)
    return MailIntake(MailReader(_store(parts.attachments)), take, database, _GROUP_ITEMS, tracing)


def _keep_raw(parts: IntakeParts) -> KeepRawMail:
    async def keep(tx: Transaction, mail: IncomingMail, reference: str) -> None:
        source = mail.mailbox.context.source.id
        await parts.raw_copies.keep_raw(tx, RawSubmission(source, VIA_MAIL, reference, mail.raw, envelope_headers(mail)))

    return keep


def _store(attachments: AttachmentStore | None) -> StoreAttachment | None:
    if attachments is None:
        return None

    async def store(name: str, content: bytes, source: str) -> str:
        try:
            return (await attachments.put(name, content, source)).reference
        except AttachmentRefused as error:
            raise AttachmentNotStored(error.rule) from error
        except NotScannedError as error:
            # Without this one file the mailbox would stop at this mail for ever.
            raise AttachmentNotStored("not_scanned") from error

    return store


def _references_key(parts: IntakeParts) -> bytes | None:
    secret = parts.settings.mail_key.get_secret_value()
    return mail_key(secret) if secret else None


def _mailbox(settings: MailboxSettings, file: MailboxesFile, parts: IntakeParts, key: bytes | None) -> Mailbox:
    # A mail of one mailbox to another would be answered by the other: none of our own addresses is a complainant's.
    own = frozenset(address for mailbox in file.mailboxes for address in mailbox.addresses)
    rules = MailboxRules(own, frozenset(settings.received_by), frozenset(settings.systems), key)
    return Mailbox(settings.id, parts.sources.contexts[settings.source], rules, settings.acknowledge)


def _deletion(service: Service) -> BackgroundLoop:
    async def delete_old(stop: asyncio.Event) -> None:
        while not stop.is_set():
            await mails.delete_old(service.database, service.clock.real_now() - ACKNOWLEDGEMENT_INTERVAL, _DUPLICATES_KEPT)
            await sleep_or_stop(stop, _DELETE_SECONDS)

    return delete_old
