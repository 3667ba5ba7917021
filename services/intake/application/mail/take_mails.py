"""Records mails and registers their submissions, all in one transaction: each mail is taken once, even if it comes again."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from services.intake import metrics
from services.intake.application.mail.mail_records import MailRecords
from services.intake.application.mail.mail_submission import mail_submission
from services.intake.application.mail.mailbox import IncomingMail, MailResult, ReadMail
from services.intake.application.registration import RegisterComplaints
from services.intake.application.registration_result import PendingRegistration, RegistrationResult, refused_submission
from services.intake.application.submission_reading import SubmissionReader
from services.intake.application.supplements import SupplementSigner
from services.intake.channels.mail.decision import MailOutcome
from services.intake.storage import complaints, mails, refusals
from services.intake.storage.mails import MailRow
from shared.contracts.contact_forms import read_email
from shared.contracts.person_keys import person_key
from shared.runtime.clock import Clock
from shared.runtime.database.database import Transaction
from shared.runtime.encryption import EncryptionKeyRing
from shared.runtime.outbox import outbox

VIA_MAIL = "mail"
ACKNOWLEDGEMENT_INTERVAL = timedelta(hours=1)
KeepRawMail = Callable[[Transaction, IncomingMail, str], Awaitable[None]]
"""`keep(tx, mail, reference)` keeps the bytes of a mail for a set time."""
_KEPT = frozenset({MailOutcome.SUBMISSION, MailOutcome.SUPPLEMENT, MailOutcome.REFUSED, MailOutcome.SET_ASIDE})
_MAX_NOTES = 500


@dataclass(frozen=True, slots=True)
class TakeMails:
    """Takes batches of mails that were read; `supplements` signs supplements, without it a reply is a new submission."""

    reader: SubmissionReader
    registration: RegisterComplaints
    supplements: SupplementSigner | None
    key_ring: EncryptionKeyRing
    records: MailRecords
    clock: Clock
    keep_raw: KeepRawMail | None = None

    async def take(self, tx: Transaction, batch: Sequence[ReadMail]) -> list[MailResult]:
        """The outcome of each mail, in order; nothing is published or kept without the commit of the transaction."""
        first = self._first_copies(batch)
        claimed = await mails.claim_mails(tx, [self._row(read) for read in first.values()])
        new = {identity: read for identity, read in first.items() if identity in claimed}
        results = await self._take_new(tx, new)
        await mails.settle_mails(tx, [self._settled_row(new[identity], result) for identity, result in results.items()])
        if self.keep_raw is not None:
            for identity, result in results.items():
                if result.outcome in _KEPT and new[identity].mail.raw:
                    await self.keep_raw(tx, new[identity].mail, identity[1].hex())
        repeated = [read for read in batch if new.get(read.identity) is not read]
        duplicate = MailResult(MailOutcome.DUPLICATE, "taken_before")
        await mails.insert_duplicates(
            tx, [replace(self._row(read), outcome=duplicate.outcome, reason=duplicate.reason) for read in repeated]
        )
        # A sender that missed our refusal asks again: an acceptance would be the end of a mail that is no case.
        untaken = await mails.untaken_outcomes(tx, [read.identity for read in repeated]) if repeated else {}
        again = {identity: MailResult(MailOutcome(outcome), reason) for identity, (outcome, reason) in untaken.items()}
        in_order = [results[read.identity] if new.get(read.identity) is read else again.get(read.identity, duplicate) for read in batch]
        tx.after_commit(lambda: _count(in_order))
        return in_order

    def _first_copies(self, batch: Sequence[ReadMail]) -> dict[tuple[str, bytes], ReadMail]:
        first: dict[tuple[str, bytes], ReadMail] = {}
        for read in batch:
            if not read.is_duplicate:
                first.setdefault(read.identity, read)
        return first

    async def _take_new(self, tx: Transaction, new: dict[tuple[str, bytes], ReadMail]) -> dict[tuple[str, bytes], MailResult]:
        known_cases = await complaints.find_registered(tx, {read.decision.case for read in new.values() if read.decision.case})
        results = dict[tuple[str, bytes], MailResult]()
        pending = dict[tuple[str, bytes], PendingRegistration]()
        for identity, read in new.items():
            decision = read.decision
            if decision.outcome not in {MailOutcome.SUBMISSION, MailOutcome.SUPPLEMENT}:
                results[identity] = MailResult(decision.outcome, decision.reason, decision.case)
                continue
            submission = mail_submission(read, self.reader, self.clock)
            if isinstance(submission, RegistrationResult):
                results[identity] = await self._refuse(tx, read, submission)
            elif decision.outcome is MailOutcome.SUPPLEMENT and decision.case in known_cases and self.supplements is not None:
                await outbox.add(tx, [self.supplements.record(replace(submission, case=decision.case))])
                tx.after_commit(metrics.SUPPLEMENTS.labels(VIA_MAIL).inc)
                results[identity] = MailResult(MailOutcome.SUPPLEMENT, decision.reason, decision.case)
            else:
                pending[identity] = submission
        registered = await self.registration.register_batch(tx, list(pending.values()), VIA_MAIL) if pending else []
        for (identity, submission), result in zip(pending.items(), registered, strict=True):
            results[identity] = await self._registered(tx, new[identity], submission, result)
        await outbox.add(tx, [record for read in new.values() if (record := self.records.report(read.decision)) is not None])
        return results

    async def _registered(self, tx: Transaction, read: ReadMail, submission: PendingRegistration, result: RegistrationResult) -> MailResult:
        decision = read.decision
        if result.status == "refused":
            return await self._refuse(tx, read, result)
        reason = decision.reason
        if decision.outcome is MailOutcome.SUPPLEMENT:
            reason = "case_unknown" if self.supplements is not None else "no_action_key"
        if result.status == "duplicate":
            # Another mail with the same words, within ten minutes: a second click, whose digest must stay claimed.
            reason = "same_submission"
        if result.status == "registered":
            await self._acknowledge(tx, read, submission, result)
        return MailResult(MailOutcome.SUBMISSION, reason, result.case)

    async def _acknowledge(self, tx: Transaction, read: ReadMail, submission: PendingRegistration, result: RegistrationResult) -> None:
        mailbox, decision = read.mail.mailbox, read.decision
        address = read_email(decision.sender)
        if not mailbox.acknowledge or not decision.answerable or address is None or address in mailbox.rules.addresses:
            return
        key = person_key("email", address, mailbox.context.pseudonym_key)
        # Real time: a loop of two programs that answer each other runs on real time.
        if await mails.claim_acknowledgement(tx, key, self.clock.real_now(), ACKNOWLEDGEMENT_INTERVAL):
            await outbox.add(tx, [self.records.acknowledgement(submission, result)])

    async def _refuse(self, tx: Transaction, read: ReadMail, result: RegistrationResult) -> MailResult:
        source = read.mail.mailbox.context.source.id
        await refusals.insert_refusals(tx, [refused_submission(result, VIA_MAIL, source, read.mail.mailbox.id)])
        tx.after_commit(lambda: metrics.count_refused(VIA_MAIL, result.reason))
        return MailResult(MailOutcome.REFUSED, result.reason)

    def _row(self, read: ReadMail) -> MailRow:
        mail, decision = read.mail, read.decision
        return MailRow(
            mailbox=mail.mailbox.id,
            source=mail.mailbox.context.source.id,
            digest=decision.digest,
            message_id=decision.message_id,
            outcome=decision.outcome,
            reason=decision.reason,
            notes="; ".join((*decision.notes, *read.notes))[:_MAX_NOTES],
            case_id=decision.case,
            received_at=decision.received_at,
            claimed_at=decision.claimed_at,
            uid_validity=mail.uid_validity,
            uid=mail.uid,
        )

    def _settled_row(self, read: ReadMail, result: MailResult) -> MailRow:
        # The history may hold anybody's data: it is sealed like contact data, for the case that it belongs to.
        quoted = self.key_ring.encrypt({"quoted": read.decision.quoted}, result.case) if read.decision.quoted and result.case else ""
        return replace(self._row(read), outcome=result.outcome, reason=result.reason, case_id=result.case, quoted=quoted)


def _count(results: Sequence[MailResult]) -> None:
    metrics.RECEIVED.labels(VIA_MAIL).inc(len(results))
    for result in results:
        metrics.MAILS.labels(result.outcome).inc()
