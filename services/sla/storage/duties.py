"""Reads and writes tables `duty` and `duty_start`: the duties that were carried out, each with its report, and since when they count."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from shared.runtime.database.database import Transaction

# Sorted: two processes that insert the same procedures in different order would deadlock.
_START = "INSERT INTO duty_start (procedure, since) SELECT p, $2 FROM unnest($1::text[]) AS p ORDER BY p ON CONFLICT DO NOTHING"
_STARTED_AT = "SELECT since FROM duty_start WHERE procedure = $1"
_PERIODS = "SELECT duty, period, until FROM duty WHERE procedure = $1 AND report IS NOT NULL"
_COMPLETED = """
SELECT procedure, duty, period, carried_out_at, report FROM duty
WHERE ($1 = '' OR procedure = $1) AND report IS NOT NULL ORDER BY procedure, period, duty
"""
# The lease is by the database's clock, which all processes share; a process that died leaves its claim to the next one.
_CLAIM = """
INSERT INTO duty (procedure, duty, period, until, carried_out_at, claim) VALUES ($1, $2, $3, $4, $5, now())
ON CONFLICT (procedure, duty, period) DO UPDATE SET until = excluded.until, carried_out_at = excluded.carried_out_at, claim = now()
WHERE duty.report IS NULL AND duty.claim < now() - interval '15 minutes' RETURNING claim
"""
_COMPLETE = """
UPDATE duty SET report = $5, sign_by = $6
WHERE procedure = $1 AND duty = $2 AND period = $3 AND claim = $4 AND report IS NULL RETURNING duty
"""
_RELEASE = "DELETE FROM duty WHERE procedure = $1 AND duty = $2 AND period = $3 AND claim = $4 AND report IS NULL"
_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"


@dataclass(frozen=True, slots=True)
class CompletedDuty:
    """A duty that was carried out, with its report; `period` is the period's first instant."""

    procedure: str
    duty: str
    period: datetime
    carried_out_at: datetime
    report: dict[str, Any]


class DutyClaim(NamedTuple):
    """A duty of one period that this process carries out; `claimed_at` (database clock) distinguishes its claim from a later one."""

    procedure: str
    duty: str
    period: datetime
    claimed_at: datetime


class CompletedPeriod(NamedTuple):
    """The time that a completed duty covers; `until` is the first instant after it."""

    duty: str
    since: datetime
    until: datetime


async def start_duties(tx: Transaction, procedures: Iterable[str], since: datetime) -> None:
    """Let the duties of these procedures begin at an instant (domain time); one that has begun keeps its instant."""
    await tx.execute(_START, sorted(procedures), since)


async def duties_started_at(tx: Transaction, procedure: str) -> datetime | None:
    """When the procedure's duties began; None before its first registration."""
    instant: datetime | None = await tx.fetchval(_STARTED_AT, procedure)
    return instant


async def completed_periods(tx: Transaction, procedure: str) -> list[CompletedPeriod]:
    """The periods of a procedure's duties that were carried out."""
    return [CompletedPeriod(row["duty"], row["period"], row["until"]) for row in await tx.fetch(_PERIODS, procedure)]


async def completed_duties(tx: Transaction, procedure: str = "") -> list[CompletedDuty]:
    """The duties of a procedure, or of all, that were carried out, oldest first."""
    rows = await tx.fetch(_COMPLETED, procedure)
    return [CompletedDuty(row["procedure"], row["duty"], row["period"], row["carried_out_at"], orjson.loads(row["report"])) for row in rows]


async def claim_duty(tx: Transaction, procedure: str, period: CompletedPeriod, now: datetime) -> DutyClaim | None:
    """Claim a duty before its report is computed; None if it is completed, or another process has claimed it."""
    claimed_at = await tx.fetchval(_CLAIM, procedure, period.duty, period.since, period.until, now)
    return None if claimed_at is None else DutyClaim(procedure, period.duty, period.since, claimed_at)


async def release_duty(tx: Transaction, claim: DutyClaim) -> None:
    """Give up a claim, so that the duty can be carried out before the claim expires."""
    await tx.execute(_RELEASE, *claim)


async def read_in_one_snapshot(tx: Transaction) -> None:
    """Let all reads of the transaction see one state of the database; has to be its first statement."""
    await tx.execute(_SNAPSHOT)


async def complete_duty(tx: Transaction, claim: DutyClaim, report: dict[str, Any], sign_by: datetime | None = None) -> bool:
    """Store the report of a claimed duty, to be signed by an instant; False if the claim expired and another process took it over."""
    return await tx.fetchval(_COMPLETE, *claim, orjson.dumps(report), sign_by) is not None
