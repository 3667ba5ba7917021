"""Reads the groups that triage found, from the events of their cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from services.desk.domain.viewer import Viewer
from services.desk.storage.groups.group_members import load_members
from services.desk.storage.visibility import visible_to
from shared.runtime.database.database import Transaction

_FOUND = """
SELECT found.case_id, found.at, found.clause, found.body FROM case_event AS found
 WHERE found.type = 'group_found' AND found.body::json ->> 'group' <> '' AND EXISTS (
       SELECT FROM case_row WHERE {where} AND case_row.case_id IN (SELECT json_array_elements_text(found.body::json -> 'members')))
       {after} {state}
 ORDER BY found.at DESC, found.case_id DESC LIMIT {limit}
"""
_DISSOLVED = """
SELECT 1 FROM case_event AS ended WHERE ended.type = 'group_dissolved' AND ended.at >= found.at
   AND ended.body::json ->> 'group' = found.body::json ->> 'group'
"""
_STATES = {"open": f"AND NOT EXISTS ({_DISSOLVED})", "dissolved": f"AND EXISTS ({_DISSOLVED})", "all": ""}
_DISSOLUTIONS = """
SELECT body::json ->> 'group' AS name, max(at) AS at FROM case_event
 WHERE type = 'group_dissolved' AND body::json ->> 'group' = ANY($1::text[]) GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class GroupSearch:
    """Which groups: `state` is open, dissolved or all; `words` is in the number or title of a member that the viewer sees."""

    state: str = "open"
    words: str = ""


@dataclass(frozen=True, slots=True)
class GroupPosition:
    """The last group of the page before."""

    at: datetime
    case_id: str


@dataclass(frozen=True, slots=True)
class ListedGroup:
    """A group as it was found: `size` members, those that the viewer does not see included; `rows` are those that he sees."""

    group: str
    position: GroupPosition
    clause: str
    size: int
    dissolved_at: datetime | None
    rows: list[Mapping[str, Any]]


async def load_groups(tx: Transaction, search: GroupSearch, viewer: Viewer, after: GroupPosition | None, limit: int) -> list[ListedGroup]:
    """Groups with a member that the viewer sees, the latest first; the count key is left out, as it may hold a confidential field."""
    conditions = visible_to(viewer)
    if search.words:
        conditions.add("position(lower({0}) IN lower(case_row.number || ' ' || case_row.title)) > 0", search.words)
    later = conditions.place("AND (found.at, found.case_id) < ({0}, {1})", after.at, after.case_id) if after else ""
    statement = _FOUND.format(where=conditions.where, after=later, state=_STATES[search.state], limit=limit)
    found = [(row, orjson.loads(row["body"])) for row in await tx.fetch(statement, *conditions.parameters)]
    rows = await load_members(tx, [case for _, event in found for case in event["members"]], viewer)
    ended = {row["name"]: row["at"] for row in await tx.fetch(_DISSOLUTIONS, [event["group"] for _, event in found])}
    return [_listed(row, event, ended, rows) for row, event in found]


def _listed(
    row: Mapping[str, Any], event: Mapping[str, Any], ended: Mapping[str, datetime], rows: Mapping[str, Mapping[str, Any]]
) -> ListedGroup:
    members: Sequence[str] = event["members"]
    dissolved = ended.get(event["group"])
    return ListedGroup(
        event["group"],
        GroupPosition(row["at"], row["case_id"]),
        row["clause"],
        event.get("count") or len(members),
        # A group that was found again after it had been dissolved is open.
        dissolved if dissolved is not None and dissolved >= row["at"] else None,
        [rows[case] for case in members if case in rows],
    )
