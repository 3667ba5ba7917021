"""The marks that count, and the groups without a window."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.triage.domain.group_counting import CounterKey, Occurrence
from shared.runtime.database.database import Transaction


@dataclass(frozen=True, slots=True)
class GroupQuery:
    """Where a case is to be counted: the tally, when it was received, how far and how many marks around it matter (no span: all)."""

    counter: CounterKey
    received_at: datetime
    window: timedelta | None
    max_neighbours: int


_SELECT_OPEN_GROUPS = """
SELECT tally.* FROM tally JOIN unnest($1::text[], $2::text[], $3::text[]) AS wanted (procedure, count, key) USING (procedure, count, key)
"""
_SELECT_ALL_OCCURRENCES = """
SELECT mark.* FROM mark JOIN unnest($1::text[], $2::text[], $3::text[]) AS wanted (procedure, count, key) USING (procedure, count, key)
"""
_SELECT_NEAR_OCCURRENCES = """
SELECT DISTINCT found.* FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::interval[], $6::int[])
    AS look (procedure, count, key, at, span, near), LATERAL (
    (SELECT * FROM mark WHERE mark.procedure = look.procedure AND mark.count = look.count AND mark.key = look.key
       AND received_at BETWEEN look.at - look.span AND look.at ORDER BY received_at DESC LIMIT look.near)
    UNION ALL
    (SELECT * FROM mark WHERE mark.procedure = look.procedure AND mark.count = look.count AND mark.key = look.key
       AND received_at > look.at AND received_at <= look.at + look.span ORDER BY received_at LIMIT look.near)) AS found
"""
_SELECT_GROUP_OCCURRENCES = """
SELECT mark.* FROM mark JOIN mark AS own USING (procedure, count, key)
WHERE own.case_id = ANY($1::text[]) AND (mark.case_id = own.case_id OR own.group_id <> '' AND mark.group_id = own.group_id)
"""
_UPSERT_OCCURRENCES = """
INSERT INTO mark (procedure, count, key, case_id, received_at, complainant, group_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[])
ON CONFLICT (procedure, count, key, case_id) DO UPDATE SET received_at = excluded.received_at, group_id = excluded.group_id
"""
_DELETE_OCCURRENCES = """
DELETE FROM mark USING unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS gone (procedure, count, key, case_id)
WHERE mark.procedure = gone.procedure AND mark.count = gone.count AND mark.key = gone.key AND mark.case_id = gone.case_id
"""
_UPSERT_OPEN_GROUPS = """
INSERT INTO tally (procedure, count, key, group_id) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
ON CONFLICT (procedure, count, key) DO UPDATE SET group_id = excluded.group_id
"""


async def lock_counting(tx: Transaction, procedures: Collection[str]) -> None:
    """One counting transaction a procedure at a time, in every process: a case may change the members of its group, whoever holds them."""
    for procedure in sorted(procedures):
        await tx.execute("SELECT pg_advisory_xact_lock(hashtext('jiesu triage'), hashtext($1))", procedure)


async def find_open_groups(tx: Transaction, counters: Collection[CounterKey]) -> dict[CounterKey, str]:
    """The groups without a window that are found already."""
    rows = await tx.fetch(_SELECT_OPEN_GROUPS, *_key_columns(counters)) if counters else []
    return {_counter_key(row): row["group_id"] for row in rows}


async def find_occurrences(tx: Transaction, queries: Sequence[GroupQuery]) -> list[tuple[CounterKey, Occurrence]]:
    """The marks that matter where these cases are to be counted."""
    everywhere = {look.counter for look in queries if look.window is None}
    near = [look for look in queries if look.window is not None]
    rows = list(await tx.fetch(_SELECT_ALL_OCCURRENCES, *_key_columns(everywhere))) if everywhere else []
    if near:
        columns = _key_columns([look.counter for look in near])
        rows += await tx.fetch(
            _SELECT_NEAR_OCCURRENCES,
            *columns,
            [look.received_at for look in near],
            [look.window for look in near],
            [look.max_neighbours for look in near],
        )
    return [(_counter_key(row), _occurrence(row)) for row in rows]


async def find_group_occurrences(tx: Transaction, case_ids: Collection[str]) -> list[tuple[CounterKey, Occurrence]]:
    """The marks of these cases and of all who are in a group with them."""
    rows = await tx.fetch(_SELECT_GROUP_OCCURRENCES, sorted(case_ids)) if case_ids else []
    return [(_counter_key(row), _occurrence(row)) for row in rows]


async def save_occurrences(
    tx: Transaction, changed: Sequence[tuple[CounterKey, Occurrence]], gone: Sequence[tuple[CounterKey, str]]
) -> None:
    """Keep marks, and take some away."""
    if gone:
        await tx.execute(_DELETE_OCCURRENCES, *_key_columns([name for name, _ in gone]), [case for _, case in gone])
    if changed:
        found = [mark for _, mark in changed]
        await tx.execute(
            _UPSERT_OCCURRENCES,
            *_key_columns([name for name, _ in changed]),
            [m.case for m in found],
            [m.received_at for m in found],
            [m.complainant for m in found],
            [m.group for m in found],
        )


async def save_open_groups(tx: Transaction, groups: Mapping[CounterKey, str]) -> None:
    """Keep which groups without a window are open; an empty text closes one."""
    if groups:
        await tx.execute(_UPSERT_OPEN_GROUPS, *_key_columns(list(groups)), list(groups.values()))


def _key_columns(names: Iterable[CounterKey]) -> tuple[list[str], list[str], list[str]]:
    listed = list(names)
    return [n.procedure for n in listed], [n.count for n in listed], [n.key for n in listed]


def _counter_key(row: Any) -> CounterKey:
    return CounterKey(row["procedure"], row["count"], row["key"])


def _occurrence(row: Any) -> Occurrence:
    return Occurrence(row["received_at"], row["case_id"], row["complainant"], row["group_id"])
