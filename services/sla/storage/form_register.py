"""Reads and writes table `form_issue`: the numbered forms that were issued, to whom, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.runtime.database.database import Transaction

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('jiesu.form_issue'), hashtext($1))"
_LAST = "SELECT coalesce(max(serial), 0) FROM form_issue WHERE procedure = $1 AND form = $2 AND year = $3"
_INSERT = """
INSERT INTO form_issue (procedure, form, year, serial, case_id, version, hash, keeper, issued_to, issued_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_ISSUES = """
SELECT procedure, form, year, serial, case_id, version, hash, keeper, issued_to, issued_at, returned_at, outcome
FROM form_issue WHERE ($1 = '' OR procedure = $1) ORDER BY procedure, form, year, serial
"""
# A number is accounted for once: a second return would let a used form count as spoilt.
_RETURN = """
UPDATE form_issue SET returned_at = $5, outcome = $6, case_id = CASE WHEN $7 = '' THEN case_id ELSE $7 END
WHERE procedure = $1 AND form = $2 AND year = $3 AND serial = $4 AND returned_at IS NULL RETURNING serial
"""


@dataclass(frozen=True, slots=True)
class FormIssue:
    """An issued form: blank (version 0, no hash), or a copy of a signed version of a case's form.

    `outcome` states what became of a returned form: `used` or `void`, with the reason.
    """

    procedure: str
    form: str
    year: int
    serial: int
    case: str
    version: int
    hash: bytes | None
    keeper: str
    issued_to: str
    issued_at: datetime
    returned_at: datetime | None = None
    outcome: str = ""

    @property
    def number(self) -> str:
        """The number that is printed on the form: year and serial, gapless per form and year."""
        return f"{self.year}-{self.serial:05}"


async def lock_numbers(tx: Transaction, procedure: str) -> None:
    """Wait for other transactions that number forms of the procedure, and keep them out until this one ends."""
    await tx.execute(_LOCK, procedure)


async def last_serial(tx: Transaction, procedure: str, form: str, year: int) -> int:
    """The last number of a form in a year, 0 without one; only under `lock_numbers` it stays the last."""
    return int(await tx.fetchval(_LAST, procedure, form, year))


async def insert_issue(tx: Transaction, issue: FormIssue) -> None:
    """Register an issued form."""
    fields = (issue.procedure, issue.form, issue.year, issue.serial, issue.case, issue.version, issue.hash)
    await tx.execute(_INSERT, *fields, issue.keeper, issue.issued_to, issue.issued_at)


async def load_issues(tx: Transaction, procedure: str = "") -> list[FormIssue]:
    """The issued forms of a procedure, or of all, by number."""
    return [FormIssue(*row) for row in await tx.fetch(_ISSUES, procedure)]


async def record_return(tx: Transaction, key: tuple[str, str, int, int], at: datetime, outcome: str, case: str = "") -> bool:
    """Record what became of an issued form; False if there is no such form that is still out."""
    return await tx.fetchval(_RETURN, *key, at, outcome, case) is not None
