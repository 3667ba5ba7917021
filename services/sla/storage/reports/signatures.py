"""Reads and changes the signature columns of table `duty`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from services.sla.storage.reports.report_lists import ReportKey
from shared.runtime.database.database import Transaction

_SELECT = "SELECT procedure, duty, period, until, carried_out_at, sign_by, signed_at, report FROM duty WHERE procedure = $1"
_OF_PROCEDURE = f"""
{_SELECT} AND report IS NOT NULL AND period < $2 ORDER BY period DESC, duty LIMIT $3
"""
_ONE = f"{_SELECT} AND duty = $2 AND period = $3 AND report IS NOT NULL FOR UPDATE"
_SIGN = "UPDATE duty SET signed_at = $4, report = $5 WHERE procedure = $1 AND duty = $2 AND period = $3"
# Locked, so that of several processes one tells about a report; the others leave it out.
_UNSIGNED = f"""
{_SELECT} AND sign_by <= $2 AND signed_at IS NULL AND chased_at IS NULL AND report IS NOT NULL
ORDER BY sign_by LIMIT 100 FOR UPDATE SKIP LOCKED
"""
_CHASED = "UPDATE duty SET chased_at = $4 WHERE procedure = $1 AND duty = $2 AND period = $3"


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A report with its state: drafted, until it is signed; `sign_by` is None for one that no one signs."""

    key: ReportKey
    until: datetime
    carried_out_at: datetime
    sign_by: datetime | None
    signed_at: datetime | None
    report: dict[str, Any]

    @property
    def state(self) -> str:
        """`drafted` or `signed`."""
        return "drafted" if self.signed_at is None else "signed"

    def is_overdue(self, now: datetime) -> bool:
        """Whether it should have been signed by now."""
        return self.signed_at is None and self.sign_by is not None and self.sign_by <= now


async def load_reports(tx: Transaction, procedure: str, before: datetime, limit: int) -> list[StoredReport]:
    """The reports of a procedure for periods that begin before an instant, the latest first."""
    return [_report(row) for row in await tx.fetch(_OF_PROCEDURE, procedure, before, limit)]


async def lock_report(tx: Transaction, key: ReportKey) -> StoredReport | None:
    """A report, locked until the transaction ends; None if there is none."""
    row = await tx.fetchrow(_ONE, *key)
    return None if row is None else _report(row)


async def sign_report(tx: Transaction, key: ReportKey, at: datetime, report: dict[str, Any]) -> None:
    """Store a signature."""
    await tx.execute(_SIGN, *key, at, orjson.dumps(report))


async def lock_unsigned(tx: Transaction, procedure: str, now: datetime) -> list[StoredReport]:
    """Reports that should have been signed by now and whose owner was not informed yet."""
    return [_report(row) for row in await tx.fetch(_UNSIGNED, procedure, now)]


async def set_report_chased(tx: Transaction, key: ReportKey, at: datetime) -> None:
    """Note that the owner of a report was informed."""
    await tx.execute(_CHASED, *key, at)


def _report(row: Mapping[str, Any]) -> StoredReport:
    key = ReportKey(row["procedure"], row["duty"], row["period"])
    return StoredReport(key, row["until"], row["carried_out_at"], row["sign_by"], row["signed_at"], orjson.loads(row["report"]))
