"""Lists cases for a viewer, by keyset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.desk.domain.inbox_filter import InboxFilter
from services.desk.domain.viewer import Viewer
from services.desk.storage.visibility import VisibilityConditions, visible_of_own, visible_to
from shared.runtime.database.database import Transaction

CASE_COLUMNS = (
    "case_row.case_id, number, procedure, version, title, kind, class, subject, state, department, proposed, handler, level, "
    "case_row.received_at, due_at, due_clock, breached, escalated, suspended, anonymous, review, urgings, ended_at"
)
_TEXTS = """
SELECT DISTINCT ON (case_id) case_id, left(said, $2) AS said
  FROM (SELECT case_id, sequence,
               body::json #>> CASE type WHEN 'registered' THEN '{complaint,text}' ELSE '{fields,text}' END::text[] AS said
          FROM case_event WHERE case_id = ANY($1::text[]) AND type IN ('registered', 'amended')) AS texts
 WHERE said <> '' ORDER BY case_id, sequence DESC
"""
_READ_CHARACTERS = 500
# Cases without a due instant come last; infinity, not NULLS LAST, since a row comparison with NULL is never true.
_DUE_KEY = "coalesce(due_at, 'infinity')"


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
    by_due = query.filter.state == "open"
    of_own_people = by_due and query.filter.assigned == "me"
    conditions = visible_of_own(viewer) if of_own_people else visible_to(viewer)
    # The source has the condition on the handler; added here, it would be on `seen_by`.
    add_filter(conditions, replace(query, filter=replace(query.filter, assigned="")) if of_own_people else query, viewer)
    key = _DUE_KEY if by_due else "case_row.received_at"
    if after is not None:
        # Through text, which also carries infinity; the planner still uses the index, as the cast is done once.
        conditions.add(f"({key}, case_row.case_id) {'>' if by_due else '<'} ({{0}}::text::timestamptz, {{1}})", after.key, after.case_id)
    order = f"{key}, case_row.case_id" if by_due else f"{key} DESC, case_row.case_id DESC"
    source = _source(conditions, query, viewer, f"ORDER BY {order} LIMIT {limit:d}") if by_due else "case_row"
    statement = (
        f"SELECT {CASE_COLUMNS}, {key}::text AS position_key FROM {source} WHERE {conditions.where} ORDER BY {order} LIMIT {limit:d}"  # noqa: S608 - ours
    )
    return await tx.fetch(statement, *conditions.parameters)


def _source(conditions: VisibilityConditions, query: InboxQuery, viewer: Viewer, order: str) -> str:
    """The open cases to choose from: where few of those that are due next fit the filter, not all of them by their due instant."""
    match query.filter.assigned:
        case "me":
            # For each of these people by the index case_row_open_handler, which has the order.
            people = conditions.place("unnest({0}::text[]) AS own (person)", list(viewer.own_people))
            of_person = f"SELECT * FROM case_row WHERE handler = own.person AND {conditions.where} {order}"  # noqa: S608 - our conditions
            return f"{people} CROSS JOIN LATERAL ({of_person}) AS case_row"
        case "others" if viewer.sees is not None:
            # OFFSET 0, since PostgreSQL expects that many fit and walks all open cases to find the page.
            seen = "(SELECT * FROM case_row WHERE state = 'open' AND seen_by && {0}::text[] OFFSET 0) AS case_row"
            return conditions.place(seen, list(viewer.sees))
        case _:
            return "case_row"


async def load_cases(tx: Transaction, case_ids: Sequence[str], viewer: Viewer) -> list[Mapping[str, Any]]:
    """Those of these cases that the viewer sees, newest receipt first."""
    conditions = visible_to(viewer)
    conditions.add("case_row.case_id = ANY({0}::text[])", list(case_ids))
    statement = f"SELECT {CASE_COLUMNS} FROM case_row WHERE {conditions.where} ORDER BY received_at DESC, case_id DESC"  # noqa: S608 - ours
    return await tx.fetch(statement, *conditions.parameters)


async def load_texts(tx: Transaction, case_ids: Sequence[str]) -> dict[str, str]:
    """Case id → the beginning of what was complained of, as registered or corrected last; an erased text is left out."""
    rows = await tx.fetch(_TEXTS, list(case_ids), _READ_CHARACTERS)
    return {row["case_id"]: row["said"] for row in rows}


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
        conditions.texts.append(f"{_DUE_KEY} = 'infinity'")
    match chosen.assigned:
        case "me":
            conditions.add("seen_by && {0}::text[]", list(viewer.own))
        case "nobody":
            conditions.texts.append("handler = ''")
        case "others":
            conditions.add("handler <> '' AND NOT (seen_by && {0}::text[])", list(viewer.own))
    if chosen.escalated:
        conditions.texts.append("escalated")
