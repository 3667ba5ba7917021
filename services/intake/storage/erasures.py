"""Takes personal values of registered complaints out of intake's tables, with the copies of what arrived."""

from collections.abc import Sequence
from secrets import token_bytes

import orjson

from services.intake.storage.complaints import ERASED_FINGERPRINT
from shared.contracts.erasure.personal_values import erased_fields
from shared.runtime.database.database import Transaction

_REFERENCES = """
SELECT source, external_id AS reference FROM complaint WHERE case_id = ANY($1::text[]) AND external_id IS NOT NULL
UNION SELECT source, message_id FROM mail_message WHERE case_id = ANY($1::text[]) AND message_id <> ''
"""
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


async def find_references(tx: Transaction, cases: Sequence[str]) -> list[tuple[str, str]]:
    """Source and its own reference of what these cases were registered from, where it has one."""
    return [(row["source"], row["reference"]) for row in await tx.fetch(_REFERENCES, list(cases))]


async def count_rows(tx: Transaction, cases: Sequence[str]) -> dict[str, int]:
    """Table → how many rows hold personal values of these cases."""
    references = _columns(await find_references(tx, cases))
    return {
        "complaint": int(await tx.fetchval("SELECT count(*) FROM complaint WHERE case_id = ANY($1::text[])", list(cases))),
        "mail_message": int(await tx.fetchval("SELECT count(*) FROM mail_message WHERE case_id = ANY($1::text[])", list(cases))),
        "raw_copy": int(await tx.fetchval(_COPIES, *references)),
        "refusal": int(await tx.fetchval(f"SELECT count(*) FROM refusal WHERE {_OF_REFERENCE}", *references)),  # noqa: S608 - constants
    }


async def count_shared_copies(tx: Transaction, cases: Sequence[str]) -> int:
    """How many sealed copies may hold these cases beside others, and so stay until their retention is over."""
    return int(await tx.fetchval(_SHARED_COPIES, list(cases)))


async def erase_complaints(tx: Transaction, cases: Sequence[str], references: Sequence[tuple[str, str]]) -> int:
    """Erase the complaints, their mails, and the raw copies and refusals with their references; returns how many complaints."""
    rows = await tx.fetch(_BODIES, sorted(cases))
    for row in rows:
        body = orjson.dumps(erased_fields(orjson.loads(row["body"]), token_bytes(32))).decode()
        # The fingerprint is a plain hash of the whole submission: with it a guess could be confirmed.
        await tx.execute(_REPLACE, row["case_id"], body, ERASED_FINGERPRINT)
    await tx.execute(_MAILS, list(cases))
    for table in ("raw_copy", "refusal"):
        await tx.execute(f"DELETE FROM {table} WHERE {_OF_REFERENCE}", *_columns(references))  # noqa: S608 - constants
    return len(rows)


def _columns(references: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    return [source for source, _ in references], [reference for _, reference in references]
