"""Full-text search: grams narrow the cases, the text itself decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.desk.domain.search_grams import key_gram
from services.desk.domain.viewer import Viewer
from services.desk.storage.inbox_queries import CASE_COLUMNS, InboxQuery, add_filter
from services.desk.storage.visibility import visible_to
from shared.runtime.database.database import Transaction


@dataclass(frozen=True, slots=True)
class SearchWindow:
    """A part of all cases: those with these keys, received before an instant; the open ones, or the ended ones."""

    keys: tuple[int, ...] = ()
    before: datetime | None = None
    is_open: bool = False


async def search_cases(
    tx: Transaction,
    query: InboxQuery,
    words: Sequence[str],
    grams: Sequence[int],
    viewer: Viewer,
    window: SearchWindow,
    skip: int,
    limit: int,
) -> list[Mapping[str, Any]]:
    """Cases that contain every word, newest receipt first, within a part of all cases."""
    conditions = visible_to(viewer)
    add_filter(conditions, query, viewer)
    conditions.add("case_search.grams @> {0}::int[]", [*grams, *window.keys])
    if viewer.sees is not None:
        conditions.add("case_search.grams && {0}::int[]", [key_gram(key) for key in viewer.sees])
    if window.before is not None:
        conditions.add("case_search.received_at < {0}", window.before)
    if not window.is_open:
        # Open cases have been searched before, as one part.
        conditions.texts.append("state <> 'open'")
    for word in words:
        conditions.add("position({0} IN case_search.words) > 0", word)
    statement = (
        f"SELECT {CASE_COLUMNS} FROM case_row JOIN case_search USING (case_id) WHERE {conditions.where} "  # noqa: S608 - our conditions
        f"ORDER BY case_search.received_at DESC, case_id DESC OFFSET {skip:d} LIMIT {limit:d}"
    )
    return await tx.fetch(statement, *conditions.parameters)
