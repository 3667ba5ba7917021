"""The inbox: pages of cases and search for one viewer."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import orjson

from services.desk import metrics
from services.desk.application.open_cases import OpenCases
from services.desk.domain.inbox_filter import InboxFilter, due_bounds
from services.desk.domain.search_grams import OPEN_GRAM, month_gram, query_grams, query_words
from services.desk.domain.viewer import Viewer
from services.desk.storage import inbox_queries, search_queries
from services.desk.storage.inbox_queries import InboxPosition, InboxQuery
from services.desk.storage.search_queries import SearchWindow
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database, Transaction

PAGE_SIZE = 50
_MAX_SKIP = 10_000
_MAX_WINDOWS = 4


@dataclass(frozen=True, slots=True)
class InboxPage:
    """Rows of a page, the cursor of the next one, and `too_short`: the query is too short to be searched for."""

    rows: list[Mapping[str, Any]]
    next_cursor: str = ""
    too_short: bool = False


class Inbox:
    """Reads the inbox of a viewer."""

    def __init__(self, database: Database, clock: Clock, zone: tzinfo) -> None:
        self._database = database
        self._clock = clock
        self.open_cases = OpenCases(database, clock, zone)

    async def page(self, chosen: InboxFilter, cursor: str, viewer: Viewer, limit: int = PAGE_SIZE) -> InboxPage:
        """A page; a cursor that cannot be read begins at the first."""
        now = self._clock.now()
        query = InboxQuery(chosen, due_bounds(chosen.due, now, self.open_cases.midnight(now))[1], now)
        async with self._database.transaction() as tx:
            if chosen.query:
                with metrics.QUERY_SECONDS.labels("search").time():
                    return await self._search(tx, query, cursor, viewer, limit)
            with metrics.QUERY_SECONDS.labels("inbox").time():
                rows = await inbox_queries.load_page(tx, query, viewer, _position(cursor), limit + 1)
        shown = rows[:limit]
        more = len(rows) > limit
        return InboxPage(shown, _encode([shown[-1]["position_key"], shown[-1]["case_id"]]) if more else "")

    async def _search(self, tx: Transaction, query: InboxQuery, cursor: str, viewer: Viewer, limit: int) -> InboxPage:
        words = query_words(query.filter.query)
        grams = query_grams(words)
        if not grams:
            return InboxPage([], too_short=True)
        first, skip = _search_position(cursor)
        rows: list[Mapping[str, Any]] = []
        # The newest months first: a word that is in every second case fills its page from one of them; one that does not is rare.
        windows = list(self._windows(query.filter.state, query.now))
        for number in range(first, len(windows)):
            wanted = limit + 1 - len(rows)
            found = await search_queries.search_cases(tx, query, words, grams, viewer, windows[number], skip, wanted)
            rows += found
            if len(rows) > limit:
                return InboxPage(rows[:limit], _encode([number, skip + len(found) - 1]))
            skip = 0
        return InboxPage(rows)

    def _windows(self, state: str, now: datetime) -> Iterator[SearchWindow]:
        """Parts of a search in order: the open cases, this month's and the last month's, all before."""
        if state != "ended":
            yield SearchWindow((OPEN_GRAM,), is_open=True)
        if state == "open":
            return
        # The keys of months are those of receipt in UTC.
        start = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        last_start = (start - timedelta(days=1)).replace(day=1)
        yield SearchWindow((month_gram(start),))
        yield SearchWindow((month_gram(last_start),))
        yield SearchWindow(before=last_start)


def _encode(parts: list[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def _decode(cursor: str) -> Any:
    try:
        return orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        return None


def _position(cursor: str) -> InboxPosition | None:
    """A forged position shows nothing more: every row passes the same conditions."""
    match _decode(cursor):
        case [str(key), str(case_id)] if "\0" not in case_id and _is_instant(key):
            return InboxPosition(key, case_id)
        case _:
            return None


def _is_instant(text: str) -> bool:
    if text == "infinity":
        return True
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _search_position(cursor: str) -> tuple[int, int]:
    match _decode(cursor):
        case [int(window), int(skip)] if 0 <= window < _MAX_WINDOWS and 0 <= skip <= _MAX_SKIP:
            return window, skip
        case _:
            return 0, 0
