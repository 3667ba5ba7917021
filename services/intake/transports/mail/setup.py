"""Mail in: mailboxes read by IMAP, and a port for SMTP or LMTP; JIESU_MAILBOXES names the file that lists them."""

import asyncio
from datetime import timedelta

from services.intake import metrics
from services.intake.application.mail.mail_intake import MailIntake
from services.intake.application.mail.mail_reading import MailReader
from services.intake.application.mail.mail_records import MailRecords
from services.intake.application.mail.mailbox import Mailbox
from services.intake.application.mail.take_mails import ACKNOWLEDGEMENT_INTERVAL, TakeMails
from services.intake.application.parts import IntakeParts
from services.intake.channels.mail.decision import MailboxRules
from services.intake.storage import mails
from services.intake.transports.mail.config import MailboxesFile, MailboxSettings, load_mailboxes
from services.intake.transports.mail.imap_mailbox import ImapMailbox
from services.intake.transports.mail.smtp_port import MailHandler, SmtpPort
from shared.contracts.mail_references import mail_key
from shared.runtime.process.supervision import BackgroundLoop
from shared.runtime.process.waiting import sleep_or_stop
from shared.runtime.service import Service

_DELETE_SECONDS = 3600.0
_DUPLICATES_KEPT = timedelta(days=90)
_GROUP_ITEMS = 50


def register(service: Service, parts: IntakeParts) -> None:
    """Add a loop for each mailbox and one for the port; raises `ProcedureError` for a file that cannot be used."""
    if parts.settings.mailboxes is None:
        return
    file = load_mailboxes(parts.settings.mailboxes, parts.sources.contexts)
    secret = parts.settings.mail_key.get_secret_value()
    key = mail_key(secret) if secret else None
    mailboxes = {settings.id: _mailbox(settings, file, parts, key) for settings in file.mailboxes}
    intake = mail_intake(service, parts)
    for settings in file.mailboxes:
        if settings.imap is not None:
            metrics.MAILBOX_UP.labels(settings.id)
            mailbox = ImapMailbox(mailboxes[settings.id], settings.imap, intake, service.database, service.clock, file.max_bytes)
            service.add_background_loop(f"mailbox-{settings.id}", mailbox.run)
    if file.port is not None:
        by_address = {address: mailboxes[settings.id] for settings in file.mailboxes for address in settings.addresses}
        handler = MailHandler(by_address, key, intake, service.clock, lmtp=file.port.protocol == "lmtp")
        service.add_background_loop("mail-port", SmtpPort(file.port, handler, file.max_bytes).run)
    service.add_background_loop("mail-retention", _deletion(service))


def mail_intake(service: Service, parts: IntakeParts) -> MailIntake:
    """What takes the mails of every transport."""
    records = MailRecords(service.key_ring, service.clock)
    take = TakeMails(parts.reader, parts.registration, parts.signer, service.key_ring, records, service.clock)
    return MailIntake(MailReader(), take, service.database, _GROUP_ITEMS)


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
