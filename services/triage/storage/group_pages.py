"""Reads and writes groups as things of their own: tables `counted_group` and `group_history`, and their members in `mark`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from shared.runtime.database.database import Transaction


class GroupHistoryRow(NamedTuple):
    """Events of a group: `group_found` and `group_dissolved` with the case that caused it, `linked` and `unlinked` with the member."""

    group_id: str
    at: datetime
    event: str
    case_id: str


class GroupRow(NamedTuple):
    """A group as its alarm described it: `found_size` members, completed by case `founder`."""

    id: str
    procedure: str
    count_entry: str
    key: str
    clause: str
    founder: str
    found_at: datetime
    found_size: int


# A group that dissolved and is complete again keeps its id, its page and its history.
_UPSERT_GROUP = """
INSERT INTO counted_group (id, procedure, count, key, clause, founder, found_at, found_size)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (id) DO UPDATE SET clause = excluded.clause, founder = excluded.founder, found_at = excluded.found_at,
    found_size = excluded.found_size, dissolved_at = NULL
"""
_DISSOLVE_GROUP = "UPDATE counted_group SET dissolved_at = $2 WHERE id = $1"
_SELECT_GROUP = "SELECT * FROM counted_group WHERE id = $1"
_COUNT_MEMBERS = "SELECT count(*) FROM mark WHERE group_id = $1 AND group_id <> ''"
_SELECT_MEMBERS = """
SELECT case_id, received_at FROM mark WHERE group_id = $1 AND group_id <> '' AND (received_at, case_id) > ($2, $3)
ORDER BY received_at, case_id LIMIT $4
"""
_SELECT_HISTORY = "SELECT * FROM group_history WHERE group_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"


async def save_groups(tx: Transaction, found: Sequence[GroupRow], dissolved: Sequence[tuple[str, datetime]]) -> None:
    """Insert the groups that were found, and mark those that dissolved afterwards, as (id, instant)."""
    if found:
        await tx.executemany(_UPSERT_GROUP, found)
    if dissolved:
        await tx.executemany(_DISSOLVE_GROUP, dissolved)


async def add_history(tx: Transaction, rows: Sequence[GroupHistoryRow]) -> None:
    """Append to the history of groups, in order."""
    if rows:
        await tx.copy_rows("group_history", GroupHistoryRow._fields, rows)


async def find_group(tx: Transaction, group: str) -> Mapping[str, Any] | None:
    """The row of a group."""
    return await tx.fetchrow(_SELECT_GROUP, group)


async def count_members(tx: Transaction, group: str) -> int:
    """Return the number of cases in the group now."""
    return int(await tx.fetchval(_COUNT_MEMBERS, group))


async def find_members(tx: Transaction, group: str, after: tuple[datetime, str], limit: int) -> list[tuple[datetime, str]]:
    """Members of the group behind a position, as (received at, case), in order of receipt."""
    return [(row["received_at"], row["case_id"]) for row in await tx.fetch(_SELECT_MEMBERS, group, *after, limit)]


async def find_history(tx: Transaction, group: str, before: int, limit: int) -> list[Mapping[str, Any]]:
    """The history of the group before an entry's id, the latest entry first."""
    return list(await tx.fetch(_SELECT_HISTORY, group, before, limit))
