"""Takes mails again from their raw copies."""

from dataclasses import dataclass

from services.intake.application.mail.mail_intake import MailIntake
from services.intake.application.mail.mail_reading import MailReader
from services.intake.application.mail.mailbox import IncomingMail, Mailbox, envelope_of
from services.intake.application.parts import IntakeParts
from services.intake.application.raw_copies import RawSubmission
from services.intake.storage import mails
from services.intake.transports.mail.config import load_mailboxes
from services.intake.transports.mail.setup import mail_intake, open_mailboxes
from shared.runtime.database.database import Database


@dataclass(frozen=True, slots=True)
class MailReplay:
    """The mailboxes by id, and the use case that takes their mails without keeping another copy."""

    mailboxes: dict[str, Mailbox]
    intake: MailIntake

    @classmethod
    def of(cls, database: Database, parts: IntakeParts) -> "MailReplay":
        """For the mailboxes of the settings; raises `ProcedureError` for a file that cannot be used."""
        path = parts.settings.mailboxes
        mailboxes = {} if path is None else open_mailboxes(parts, load_mailboxes(path, parts.sources.contexts))
        return cls(mailboxes, mail_intake(database, parts))

    async def replay(self, database: Database, raw: RawSubmission, *, dry_run: bool) -> str | None:
        """The outcome of the mail now, `duplicate` if it was taken before; None for a mailbox that is no longer there."""
        mailbox = self.mailboxes.get(raw.headers["mailbox"])
        if mailbox is None:
            return None
        mail = IncomingMail(raw.content, mailbox, envelope_of(raw.headers))
        if dry_run:
            return str((await MailReader().decide(mail)).outcome)
        async with database.transaction() as tx:
            is_open = await mails.forget_untaken(tx, raw.source, bytes.fromhex(raw.reference))
        if not is_open:
            return "duplicate"
        [result] = await self.intake.take([mail])
        return str(result.outcome)
