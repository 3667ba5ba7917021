"""Lists and counts cases for a viewer, by keyset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.desk.domain.inbox_filter import InboxFilter
from services.desk.domain.viewer import Viewer
from services.desk.storage.visibility import VisibilityConditions, visible_to
from shared.runtime.database.database import Transaction

_COLUMNS = (
    "case_row.case_id, number, procedure, title, kind, class, subject, state, department, proposed, handler, level, "
    "case_row.received_at, due_at, due_clock, breached, escalated, suspended, anonymous, review, urgings, ended_at"
)
# Cases without a due instant come last; infinity, not NULLS LAST, since a row comparison with NULL is never true.
_DUE_KEY = "coalesce(due_at, 'infinity')"
_COUNTS = """
SELECT count(*) AS open, count(*) FILTER (WHERE due_at < {0}) AS late, count(*) FILTER (WHERE due_at >= {0} AND due_at < {1}) AS today,
       count(*) FILTER (WHERE handler = '') AS unassigned, count(*) FILTER (WHERE seen_by && {2}::text[]) AS mine,
       count(*) FILTER (WHERE escalated) AS escalated
  FROM case_row WHERE state = 'open' AND
"""


@dataclass(frozen=True, slots=True)
class InboxPosition:
    """Where a page begins: after this key of the order, as text, and this case."""

    key: str
    case_id: str


@dataclass(frozen=True, slots=True)
class InboxQuery:
    """A filter with the instants that its words mean now."""

    filter: InboxFilter
    due_before: datetime | None
    now: datetime


async def load_page(tx: Transaction, query: InboxQuery, viewer: Viewer, after: InboxPosition | None, limit: int) -> list[Mapping[str, Any]]:
    """Up to `limit` rows with `position_key`: open cases next due first, others by their receipt, newest first."""
    conditions = visible_to(viewer)
    add_filter(conditions, query, viewer)
    by_due = query.filter.state == "open"
    key = _DUE_KEY if by_due else "case_row.received_at"
    if after is not None:
        # Through text, which also carries infinity; the planner still uses the index, as the cast is done once.
        conditions.add(f"({key}, case_row.case_id) {'>' if by_due else '<'} ({{0}}::text::timestamptz, {{1}})", after.key, after.case_id)
    order = f"{key}, case_row.case_id" if by_due else f"{key} DESC, case_row.case_id DESC"
    source = _own_cases(conditions, viewer) if by_due and query.filter.assigned == "me" else "case_row"
    statement = f"SELECT {_COLUMNS}, {key}::text AS position_key FROM {source} WHERE {conditions.where} ORDER BY {order} LIMIT {limit:d}"  # noqa: S608 - ours
    return await tx.fetch(statement, *conditions.parameters)


def _own_cases(conditions: VisibilityConditions, viewer: Viewer) -> str:
    """The open cases that the viewer handles, as a table of their own.

    OFFSET 0 keeps PostgreSQL from walking the cases by their due instant until a page is full: it believes that an array matches more
    often than a person handles a case, and reads all open cases of a person who has few.
    """
    return conditions.place(
        "(SELECT * FROM case_row WHERE state = 'open' AND seen_by && {0}::text[] OFFSET 0) AS case_row", list(viewer.own)
    )


async def load_cases(tx: Transaction, case_ids: Sequence[str], viewer: Viewer) -> list[Mapping[str, Any]]:
    """Those of these cases that the viewer sees, newest receipt first."""
    conditions = visible_to(viewer)
    conditions.add("case_row.case_id = ANY({0}::text[])", list(case_ids))
    statement = f"SELECT {_COLUMNS} FROM case_row WHERE {conditions.where} ORDER BY received_at DESC, case_id DESC"  # noqa: S608 - ours
    return await tx.fetch(statement, *conditions.parameters)


def add_filter(conditions: VisibilityConditions, query: InboxQuery, viewer: Viewer) -> None:
    """Add the conditions of a filter."""
    chosen = query.filter
    # Written out: with a parameter the planner could not use the partial indexes.
    conditions.texts += {"open": ["state = 'open'"], "ended": ["state <> 'open'"], "all": []}[chosen.state]
    for column, value in (("procedure", chosen.procedure), ("class", chosen.class_)):
        if value:
            conditions.add(f"{column} = {{0}}", value)
    if chosen.department:
        # The expression of the index case_row_open_department: with OR the planner reads every open case.
        conditions.add("coalesce(nullif(department, ''), proposed) = {0}", chosen.department)
    if query.due_before is not None:
        conditions.add("due_at < {0}", query.due_before)
    if chosen.due == "none":
        conditions.texts.append("due_at IS NULL")
    match chosen.assigned:
        case "me":
            conditions.add("seen_by && {0}::text[]", list(viewer.own))
        case "nobody":
            conditions.texts.append("handler = ''")
        case "others":
            conditions.add("handler <> '' AND NOT (seen_by && {0}::text[])", list(viewer.own))
    if chosen.escalated:
        conditions.texts.append("escalated")


async def count_cases(tx: Transaction, viewer: Viewer, now: datetime, midnight: datetime) -> dict[str, int]:
    """The open cases of a viewer: all, late, due today, unassigned, his own, escalated."""
    conditions = visible_to(viewer)
    start = conditions.place(_COUNTS, now, midnight, list(viewer.own))
    row = await tx.fetchrow(f"{start} {conditions.where}", *conditions.parameters)
    return dict(row or {})


async def load_choices(tx: Transaction, viewer: Viewer) -> dict[str, list[str]]:
    """The procedures, classes and departments of the open cases that the viewer sees, for the fields of the filter."""
    conditions = visible_to(viewer)
    choices = {}
    for column in ("procedure", "class", "department"):
        where = f"state = 'open' AND {conditions.where} AND {column} <> ''"
        rows = await tx.fetch(f"SELECT DISTINCT {column} FROM case_row WHERE {where} ORDER BY 1 LIMIT 200", *conditions.parameters)  # noqa: S608 - our names
        choices[column] = [row[0] for row in rows]
    return choices
