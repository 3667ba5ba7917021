"""Reads one mailbox by IMAP: the new mails, in order, each mail durable before it is marked or deleted on the server."""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from datetime import timedelta

import structlog

from services.intake import metrics
from services.intake.application.mail.mail_intake import MailIntake
from services.intake.application.mail.mailbox import IncomingMail, Mailbox
from services.intake.channels.mail.decision import Envelope
from services.intake.storage import mails
from services.intake.transports.mail.config import ImapSettings
from services.intake.transports.mail.imap_session import UIDS_OF_A_FETCH, ImapError, ImapSession, StoredMail, open_session
from services.intake.transports.mail.oauth2 import AccessTokens, TokenUnavailableError
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from shared.runtime.database.election import Election
from shared.runtime.process.waiting import Backoff, sleep_or_stop

_LEASE = timedelta(seconds=60)
_CANDIDATE_SECONDS = 5.0
_IDLE_SECONDS = 15.0
"""Shorter than the lease, which is renewed between two waits."""
_MAX_BATCH_BYTES = 4_000_000
_MAX_BATCH_MAILS = 20
log = structlog.get_logger(__name__)


class ImapMailbox:
    """Of several processes one reads the mailbox; where two do after all, a mail is taken once."""

    def __init__(
        self, mailbox: Mailbox, settings: ImapSettings, intake: MailIntake, database: Database, clock: Clock, max_bytes: int
    ) -> None:
        self._mailbox = mailbox
        self._settings = settings
        self._intake = intake
        self._database = database
        self._clock = clock
        self._max_bytes = max_bytes
        self._tokens = AccessTokens(settings.oauth2) if settings.oauth2 else None
        self._election = Election(f"mailbox {mailbox.id}", _LEASE)
        self._last_uid = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop`; a server that cannot be used is tried again, an outage of the database is raised."""
        backoff = Backoff(initial_seconds=1.0, max_seconds=60.0)
        while not stop.is_set():
            if not await self._is_elected():
                await sleep_or_stop(stop, _CANDIDATE_SECONDS)
                continue
            try:
                async with open_session(self._settings, self._tokens) as session:
                    await self._prepare(session)
                    backoff.reset()
                    await self._follow(session, stop)
            except (ImapError, TokenUnavailableError) as error:
                # Other mailboxes, and everything that does not come by mail, are not concerned: the process stays ready.
                metrics.MAILBOX_UP.labels(self._mailbox.id).set(0)
                log.warning("mailbox cannot be read", mailbox=self._mailbox.id, reason=str(error))
                await backoff.wait(stop)
        async with self._database.transaction() as tx:
            await self._election.resign(tx)

    async def _is_elected(self) -> bool:
        async with self._database.transaction() as tx:
            return await self._election.is_elected(tx)

    async def _prepare(self, session: ImapSession) -> None:
        """Find the position from which to read, and settle on the server the mails that an interrupted session left."""
        async with self._database.transaction() as tx:
            position = await mails.find_position(tx, self._mailbox.id)
        if position is not None and position[0] != session.uid_validity:
            # The server's UIDs mean other mails now: all are read again, and those that were taken are recognised.
            log.warning("the mailbox has a new UIDVALIDITY and is read again", mailbox=self._mailbox.id)
        self._last_uid = position[1] if position is not None and position[0] == session.uid_validity else 0
        if self._settings.after != "keep":
            condition = "UNSEEN" if self._settings.after == "seen" else "ALL"
            await self._settle(session, await session.list_until(self._last_uid, condition))

    async def _follow(self, session: ImapSession, stop: asyncio.Event) -> None:
        metrics.MAILBOX_UP.labels(self._mailbox.id).set(1)
        while not stop.is_set() and await self._is_elected():
            if await self.read_new(session, stop):
                continue
            if session.has_idle:
                await session.wait_for_news(_IDLE_SECONDS, stop)
            else:
                await sleep_or_stop(stop, self._settings.poll_seconds)
                await session.check_alive()

    async def read_new(self, session: ImapSession, stop: asyncio.Event) -> int:
        """Take all new mails, or those before `stop`; returns how many."""
        uids = await session.list_after(self._last_uid)
        count = 0
        for start in range(0, len(uids), UIDS_OF_A_FETCH):
            described = await session.describe(uids[start : start + UIDS_OF_A_FETCH])
            for batch in _batches(described, self._max_bytes):
                if stop.is_set() or not await self._is_elected():
                    return count
                await self._take(session, batch)
                count += len(batch)
        return count

    async def _take(self, session: ImapSession, batch: Sequence[StoredMail]) -> None:
        readable = [mail.uid for mail in batch if mail.size <= self._max_bytes]
        contents = await session.read(readable) if readable else {}
        await self._intake.take([self._incoming(session, mail, contents[mail.uid]) for mail in batch if mail.uid in contents])
        for mail in batch:
            if mail.uid not in contents:
                reason = "too_large" if mail.size > self._max_bytes else "no_content"
                await self._intake.set_aside(self._incoming(session, mail, b""), reason, self._digest(session, mail))
        self._last_uid = batch[-1].uid
        async with self._database.transaction() as tx:
            await mails.save_position(tx, self._mailbox.id, session.uid_validity, self._last_uid)
        if self._settings.after != "keep":
            await self._settle(session, [mail.uid for mail in batch])

    async def _settle(self, session: ImapSession, uids: Sequence[int]) -> None:
        for start in range(0, len(uids), UIDS_OF_A_FETCH):
            step = uids[start : start + UIDS_OF_A_FETCH]
            async with self._database.transaction() as tx:
                durable = await mails.recorded_uids(tx, self._mailbox.id, session.uid_validity, step)
            await session.settle(sorted(durable))

    def _incoming(self, session: ImapSession, mail: StoredMail, raw: bytes) -> IncomingMail:
        arrived_at = min(mail.internal_date or self._clock.real_now(), self._clock.real_now())
        return IncomingMail(raw, self._mailbox, Envelope(arrived_at), uid_validity=session.uid_validity, uid=mail.uid)

    def _digest(self, session: ImapSession, mail: StoredMail) -> bytes:
        return hashlib.sha256(f"{self._mailbox.id} {session.uid_validity} {mail.uid} {mail.size}".encode()).digest()


def _batches(described: Sequence[StoredMail], max_bytes: int) -> Iterator[list[StoredMail]]:
    """The mails in order, at most 20 and 4 MB together unless a single one is larger."""
    batch: list[StoredMail] = []
    size = 0
    for mail in described:
        read_size = mail.size if mail.size <= max_bytes else 0
        if batch and (len(batch) >= _MAX_BATCH_MAILS or size + read_size > _MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(mail)
        size += read_size
    if batch:
        yield batch
