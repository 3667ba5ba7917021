"""Reads pages of cases for lists by keyset: the position is the last row of the page before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from services.sla.domain.lifecycle.case import Case
from shared.runtime.database.database import Transaction

_SELECT = "SELECT id, received_at, state FROM cases"
_NEWEST_FIRST, _OLDEST_FIRST = "ORDER BY received_at DESC, id DESC LIMIT", "ORDER BY received_at, id LIMIT"
# One arm for each index. An index that leaves out empty values is used only where the statement leaves them out too.
VISIBLE_CASES = """(department = ANY({0}::text[]) OR (other_departments <> '{{}}' AND other_departments && {0}::text[])
    OR (handler <> '' AND handler = ANY({1}::text[])))"""


class CasePosition(NamedTuple):
    """Where a page begins: after the case with this instant of receipt and this id."""

    received_at: datetime
    case_id: str


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Conditions of the reader that all hold; None is no condition."""

    status: str | None = None
    class_: str | None = None
    department: str | None = None
    procedure: str | None = None
    number: str | None = None
    due_before: datetime | None = None
    breached: bool | None = None
    person_keys: tuple[str, ...] | None = None
    received_from: datetime | None = None
    received_before: datetime | None = None
    open_or_changed_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class VisibleCases:
    """Cases of these departments, lead or not, and those that these people handle."""

    departments: tuple[str, ...]
    handlers: tuple[str, ...]


class Conditions:
    """SQL conditions with their parameters: the statement holds only the conditions that are given, so that each plan fits them."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.parameters: list[Any] = []

    def add(self, condition: str, *parameters: Any) -> None:
        """Add a condition; `{0}`, `{1}` in it are its parameters."""
        first = len(self.parameters) + 1
        self.parameters += parameters
        self.texts.append(condition.format(*(f"${first + place}" for place in range(len(parameters)))))


def page_query(
    where: CaseFilter, visible: VisibleCases | None, after: CasePosition | None, limit: int, *, oldest_first: bool = False
) -> tuple[str, list[Any]]:
    """The statement of a page and its parameters; `visible` None is every case."""
    conditions = Conditions()
    columns = {
        "status": where.status,
        "class": where.class_,
        "department": where.department,
        "procedure": where.procedure,
        "number": where.number,
    }
    for column, value in columns.items():
        if value is not None:
            conditions.add(f"{column} = {{0}}", value)
    if where.breached is not None:  # written out: with a parameter the planner could not use the partial index
        conditions.add("breached" if where.breached else "NOT breached")
    if where.due_before is not None:
        conditions.add("due_at < {0}", where.due_before)
    if where.received_from is not None:
        conditions.add("received_at >= {0}", where.received_from)
    if where.received_before is not None:
        conditions.add("received_at < {0}", where.received_before)
    if where.open_or_changed_since is not None:
        conditions.add("(status = 'open' OR changed_at >= {0})", where.open_or_changed_since)
    if where.person_keys is not None:
        conditions.add("id IN (SELECT case_id FROM case_person WHERE key = ANY({0}::text[]))", list(where.person_keys))
    if visible is not None:
        conditions.add(VISIBLE_CASES, list(visible.departments), list(visible.handlers))
    if after is not None:
        conditions.add(f"(received_at, id) {'>' if oldest_first else '<'} ({{0}}, {{1}})", *after)
    filters = f"WHERE {' AND '.join(conditions.texts)} " if conditions.texts else ""
    return f"{_SELECT} {filters}{_OLDEST_FIRST if oldest_first else _NEWEST_FIRST} {limit:d}", conditions.parameters


async def load_page(
    tx: Transaction,
    where: CaseFilter,
    visible: VisibleCases | None,
    after: CasePosition | None,
    limit: int,
    *,
    oldest_first: bool = False,
) -> list[tuple[CasePosition, Case]]:
    """Up to `limit` cases after a position, each with its own position."""
    statement, parameters = page_query(where, visible, after, limit, oldest_first=oldest_first)
    rows = await tx.fetch(statement, *parameters)
    return [(CasePosition(row["received_at"], row["id"]), Case.from_dict(orjson.loads(row["state"]))) for row in rows]
