"""Takes personal values of registered complaints out of intake's tables, with the raw copies."""

from collections.abc import Sequence
from secrets import token_bytes

import orjson

from services.intake.domain.submission import case_id
from services.intake.storage.complaints import ERASED_FINGERPRINT
from shared.contracts.erasure.personal_values import erased_fields
from shared.runtime.database.database import Transaction

_REFERENCES = "SELECT source, external_id FROM complaint WHERE case_id = ANY($1::text[]) AND external_id IS NOT NULL"
# A copy of a mail is named by the mail's digest.
_MAIL_COPIES = "SELECT source, encode(digest, 'hex') FROM mail_message WHERE case_id = ANY($1::text[])"
_CHANNELS = "SELECT DISTINCT source, channel FROM complaint WHERE case_id = ANY($1::text[])"
_FORM_COPIES = "SELECT DISTINCT reference FROM raw_copy WHERE channel = 'form' AND source = $1"
_BODIES = "SELECT case_id, body FROM complaint WHERE case_id = ANY($1::text[]) ORDER BY case_id FOR UPDATE"
_REPLACE = "UPDATE complaint SET body = $2, fingerprint = $3, external_id = NULL WHERE case_id = $1"
_OF_REFERENCE = "(source, reference) IN (SELECT * FROM unnest($1::text[], $2::text[]))"
_MAILS = "UPDATE mail_message SET message_id = '', quoted = '', notes = '', reason = '' WHERE case_id = ANY($1::text[])"
_COPIES = f"SELECT count(DISTINCT id) FROM raw_copy WHERE {_OF_REFERENCE}"  # noqa: S608 - constants
# A file of many rows is one copy, and that of a webhook call has no reference: they are sealed, and go when their time is over.
_SHARED_COPIES = """
SELECT count(DISTINCT copy.id) FROM raw_copy AS copy JOIN complaint USING (source)
WHERE complaint.case_id = ANY($1::text[])
    AND (copy.reference = '' OR copy.id IN (SELECT import_id FROM import_row WHERE case_id = ANY($1::text[])))
"""


async def find_references(tx: Transaction, cases: Sequence[str]) -> list[str]:
    """The sources' own references of these cases, the keys of their records in complaint-submissions."""
    return [row["external_id"] for row in await tx.fetch(_REFERENCES, list(cases))]


async def _find_copies(tx: Transaction, cases: Sequence[str]) -> tuple[list[str], list[str]]:
    """Sources and references of the raw copies and refusals of these cases."""
    copies = {tuple(row) for statement in (_REFERENCES, _MAIL_COPIES) for row in await tx.fetch(statement, list(cases))}
    for source, channel in await tx.fetch(_CHANNELS, list(cases)):
        # A form's copy has the key of the opened form as reference, from which the case's id was made.
        keys = [row["reference"] for row in await tx.fetch(_FORM_COPIES, source)]
        copies |= {(source, key) for key in keys if case_id(source, channel, f"key {key}") in cases}
    return [source for source, _ in copies], [reference for _, reference in copies]


async def count_rows(tx: Transaction, cases: Sequence[str]) -> dict[str, int]:
    """Table → number of rows that hold personal values of these cases."""
    references = await _find_copies(tx, cases)
    return {
        "complaint": int(await tx.fetchval("SELECT count(*) FROM complaint WHERE case_id = ANY($1::text[])", list(cases))),
        "mail_message": int(await tx.fetchval("SELECT count(*) FROM mail_message WHERE case_id = ANY($1::text[])", list(cases))),
        "raw_copy": int(await tx.fetchval(_COPIES, *references)),
        "refusal": int(await tx.fetchval(f"SELECT count(*) FROM refusal WHERE {_OF_REFERENCE}", *references)),  # noqa: S608 - constants
    }


async def count_shared_copies(tx: Transaction, cases: Sequence[str]) -> int:
    """The number of sealed copies that may hold these cases beside others; they stay until their retention is over."""
    return int(await tx.fetchval(_SHARED_COPIES, list(cases)))


async def erase_complaints(tx: Transaction, cases: Sequence[str]) -> int:
    """Erase the complaints, their mails, raw copies and refusals; returns how many complaints."""
    copies = await _find_copies(tx, cases)
    rows = await tx.fetch(_BODIES, sorted(cases))
    for row in rows:
        body = orjson.dumps(erased_fields(orjson.loads(row["body"]), token_bytes(32))).decode()
        # The fingerprint is a plain hash of the whole submission: with it a guess could be confirmed.
        await tx.execute(_REPLACE, row["case_id"], body, ERASED_FINGERPRINT)
    await tx.execute(_MAILS, list(cases))
    for table in ("raw_copy", "refusal"):
        await tx.execute(f"DELETE FROM {table} WHERE {_OF_REFERENCE}", *copies)  # noqa: S608 - constants
    return len(rows)
