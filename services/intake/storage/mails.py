"""Records mails and their outcomes, the position in each mailbox, and the addresses that got an acknowledgement."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.runtime.database.database import Database, Transaction
from shared.runtime.database.retention import ROWS_IN_A_STEP, delete_in_steps

_NAMES = (
    *("mailbox", "source", "digest", "message_id", "outcome", "reason", "notes", "case_id", "received_at", "claimed_at"),
    *("uid_validity", "uid", "quoted"),
)
_COLUMNS = ", ".join(_NAMES)
_VALUES = (
    "unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[], "
    "$10::timestamptz[], $11::bigint[], $12::bigint[], $13::text[])"
)
# A mail that another process takes in the meantime waits here for its commit; sorted, so that no two wait for each other.
_CLAIM = f"""
INSERT INTO mail_message ({_COLUMNS}) SELECT {_COLUMNS} FROM {_VALUES} AS new ({_COLUMNS}) ORDER BY source, digest
ON CONFLICT (source, digest) WHERE outcome != 'duplicate' DO NOTHING RETURNING source, digest
"""  # noqa: S608 - constants
_INSERT = f"INSERT INTO mail_message ({_COLUMNS}) SELECT * FROM {_VALUES}"  # noqa: S608 - constants
_SETTLE = """
UPDATE mail_message AS mail SET outcome = done.outcome, reason = done.reason, case_id = done.case_id, quoted = done.quoted
FROM unnest($1::text[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[])
    AS done (source, digest, outcome, reason, case_id, quoted)
WHERE mail.source = done.source AND mail.digest = done.digest AND mail.outcome != 'duplicate'
"""
# What was set aside or refused stays on the server: there is no other copy.
_RECORDED_UIDS = """
SELECT DISTINCT uid FROM mail_message
WHERE mailbox = $1 AND uid_validity = $2 AND uid = ANY($3::bigint[]) AND outcome NOT IN ('set_aside', 'refused')
"""
_UNTAKEN = """
SELECT source, digest, outcome, reason FROM mail_message
  JOIN unnest($1::text[], $2::bytea[]) AS known (source, digest) USING (source, digest)
WHERE outcome IN ('set_aside', 'refused')
"""
_KNOWN = """
SELECT source, digest FROM mail_message JOIN unnest($1::text[], $2::bytea[]) AS known (source, digest) USING (source, digest)
WHERE outcome != 'duplicate'
"""
_SAVE_POSITION = """
INSERT INTO mailbox_position AS known (mailbox, uid_validity, last_uid) VALUES ($1, $2, $3)
ON CONFLICT (mailbox) DO UPDATE SET uid_validity = excluded.uid_validity, last_uid = excluded.last_uid
"""
_CLAIM_ACKNOWLEDGEMENT = """
INSERT INTO mail_acknowledgement AS known (address_key, sent_at) VALUES ($1, $2)
ON CONFLICT (address_key) DO UPDATE SET sent_at = excluded.sent_at WHERE known.sent_at <= excluded.sent_at - $3::interval
RETURNING address_key
"""
_DELETE_ACKNOWLEDGEMENTS = """
DELETE FROM mail_acknowledgement WHERE address_key IN (
    SELECT address_key FROM mail_acknowledgement WHERE sent_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)
"""
_DELETE_DUPLICATES = """
DELETE FROM mail_message WHERE id IN (
    SELECT id FROM mail_message WHERE outcome = 'duplicate' AND recorded_at < now() - $1::interval LIMIT $2 FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True)
class MailRow:
    """A mail and its outcome; `quoted` is its quoted history, sealed, empty without one. `uid` is that of an IMAP mailbox."""

    mailbox: str
    source: str
    digest: bytes
    message_id: str
    outcome: str
    reason: str
    notes: str = ""
    case_id: str = ""
    received_at: datetime | None = None
    claimed_at: datetime | None = None
    uid_validity: int | None = None
    uid: int | None = None
    quoted: str = ""

    @property
    def identity(self) -> tuple[str, bytes]:
        """Source and digest: the same mail for a source is taken once."""
        return self.source, self.digest


async def claim_mails(tx: Transaction, rows: Sequence[MailRow]) -> set[tuple[str, bytes]]:
    """Insert mails, and return the identity of those that are new; the others are recorded already."""
    claimed = await tx.fetch(_CLAIM, *_arrays(rows))
    return {(row["source"], row["digest"]) for row in claimed}


async def known_mails(tx: Transaction, identities: Collection[tuple[str, bytes]]) -> set[tuple[str, bytes]]:
    """Those of the mails (source, digest) that are recorded."""
    rows = await tx.fetch(_KNOWN, [source for source, _ in identities], [digest for _, digest in identities])
    return {(row["source"], row["digest"]) for row in rows}


async def insert_duplicates(tx: Transaction, rows: Sequence[MailRow]) -> None:
    """Record mails that came again."""
    if rows:
        await tx.execute(_INSERT, *_arrays(rows))


async def settle_mails(tx: Transaction, rows: Sequence[MailRow]) -> None:
    """Write the outcomes of claimed mails."""
    if rows:
        names = ("source", "digest", "outcome", "reason", "case_id", "quoted")
        await tx.execute(_SETTLE, *([getattr(row, name) for row in rows] for name in names))


async def forget_untaken(tx: Transaction, source: str, digest: bytes) -> bool:
    """Delete the record of a mail that was set aside or refused, so that it can be taken again; False for one that was taken."""
    taken = "SELECT 1 FROM mail_message WHERE source = $1 AND digest = $2 AND outcome NOT IN ('set_aside', 'refused', 'duplicate')"
    if await tx.fetchval(taken, source, digest) is not None:
        return False
    # No row is left where a replay stopped between this and the taking.
    await tx.execute("DELETE FROM mail_message WHERE source = $1 AND digest = $2 AND outcome IN ('set_aside', 'refused')", source, digest)
    return True


async def untaken_outcomes(tx: Transaction, identities: Collection[tuple[str, bytes]]) -> dict[tuple[str, bytes], tuple[str, str]]:
    """Outcome and reason of those of the mails (source, digest) that were set aside or refused."""
    rows = await tx.fetch(_UNTAKEN, [source for source, _ in identities], [digest for _, digest in identities])
    return {(row["source"], row["digest"]): (row["outcome"], row["reason"]) for row in rows}


async def recorded_uids(tx: Transaction, mailbox: str, uid_validity: int, uids: Collection[int]) -> set[int]:
    """Those of the UIDs whose mails are durable here."""
    return {row["uid"] for row in await tx.fetch(_RECORDED_UIDS, mailbox, uid_validity, sorted(uids))}


async def find_position(tx: Transaction, mailbox: str) -> tuple[int, int] | None:
    """UIDVALIDITY and the last UID that was read; None for a mailbox that was never read."""
    row = await tx.fetchrow("SELECT uid_validity, last_uid FROM mailbox_position WHERE mailbox = $1", mailbox)
    return (row["uid_validity"], row["last_uid"]) if row else None


async def save_position(tx: Transaction, mailbox: str, uid_validity: int, last_uid: int) -> None:
    """Write the position in a mailbox: UIDVALIDITY and the last UID that was read."""
    await tx.execute(_SAVE_POSITION, mailbox, uid_validity, last_uid)


async def claim_acknowledgement(tx: Transaction, address_key: str, now: datetime, interval: timedelta) -> bool:
    """Whether the address got no acknowledgement within the interval before `now`; it counts as sent now."""
    return await tx.fetchval(_CLAIM_ACKNOWLEDGEMENT, address_key, now, interval) is not None


async def delete_old(database: Database, acknowledged_before: datetime, duplicates_kept: timedelta) -> int:
    """Delete acknowledgements before an instant, and duplicates older than `duplicates_kept`; returns how many.

    Mails that were taken stay: without them a mailbox whose UIDVALIDITY changes would be taken twice.
    """

    async def delete_acknowledgements(tx: Transaction) -> int:
        return int((await tx.execute(_DELETE_ACKNOWLEDGEMENTS, acknowledged_before, ROWS_IN_A_STEP)).split()[-1])

    async def delete_duplicates(tx: Transaction) -> int:
        return int((await tx.execute(_DELETE_DUPLICATES, duplicates_kept, ROWS_IN_A_STEP)).split()[-1])

    return await delete_in_steps(database, delete_acknowledgements) + await delete_in_steps(database, delete_duplicates)


def _arrays(rows: Sequence[MailRow]) -> list[list[object]]:
    return [[getattr(row, name) for row in rows] for name in _NAMES]
