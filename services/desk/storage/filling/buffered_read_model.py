"""A read model that a rebuild fills: rows that many batches change are kept in memory and written when the buffer is full."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from services.desk.domain.case_row import CaseRow
from services.desk.domain.figures.case_sums import CountedCase, counted_case
from services.desk.storage.filling.projections import ReadModel
from shared.runtime.database.database import Transaction

MAX_ROWS = 40_000
"""Rows of cases in memory, about 2 KB each with their clocks and words."""
_COUNTED_AT_ONCE = 10_000
"""The server ends a transaction in which it waits too long for the next statement; to count so many cases takes 2 s."""
_FIRST_HOLDS = ("started_at", "breached_at")
_LAST_HOLDS = ("ended_at", "clause", "role")


class BufferedReadModel(ReadModel):
    """No one else writes its tables, and a rebuild that is broken off drops them: nothing in memory can be lost.

    Without it each event of a case rewrites its row, and with it the index entries: half of the time of a rebuild.
    """

    def __init__(self, suffix: str) -> None:
        super().__init__(suffix)
        self._rows: dict[str, CaseRow] = {}
        self._counted: dict[str, CountedCase | None] = {}
        self._runs: dict[tuple[str, str, int], Mapping[str, Any]] = {}
        self._cases_with_runs: set[str] = set()
        self._words: dict[str, Mapping[str, Any]] = {}

    async def load_rows(self, tx: Transaction, case_ids: Collection[str]) -> dict[str, CaseRow]:
        """The rows in memory, and those that were written before."""
        unread = [case_id for case_id in case_ids if case_id not in self._rows]
        written = await super().load_rows(tx, unread) if unread else {}
        self._rows |= written
        self._counted |= {case_id: counted_case(row) for case_id, row in written.items()}
        return {case_id: self._rows[case_id] for case_id in case_ids if case_id in self._rows}

    async def save_rows(self, tx: Transaction, rows: Iterable[CaseRow]) -> None:
        """Keep the rows; write all at once when there are many."""
        self._rows |= {row.case_id: row for row in rows}
        if len(self._rows) > MAX_ROWS:
            await self.flush(tx)

    async def add_events(self, tx: Transaction, events: Sequence[Mapping[str, Any]]) -> None:
        """Copy events: each is newer than its case's row, so none is there."""
        if events:
            await tx.copy_rows(self.table("case_event"), list(events[0]), [tuple(event.values()) for event in events])

    async def load_runs(self, tx: Transaction, case_ids: Collection[str]) -> dict[tuple[str, str, int], Mapping[str, Any]]:
        """The runs in memory, and those of these cases that were written before."""
        unread = [case_id for case_id in case_ids if case_id not in self._cases_with_runs]
        if unread:
            self._runs |= {key: dict(run) for key, run in (await super().load_runs(tx, unread)).items()}
            self._cases_with_runs.update(unread)
        return self._runs

    async def save_deadlines(self, tx: Transaction, runs: Sequence[Mapping[str, Any]]) -> None:  # noqa: ARG002 - as in ReadModel
        """Keep the runs, merged as the statement would."""
        for run in runs:
            key = (run["case_id"], run["clock"], run["round"])
            known = self._runs.get(key)
            if known is not None:
                earliest = {name: known[name] or run[name] for name in _FIRST_HOLDS}
                run = {**run, **earliest, **{name: run[name] or known[name] for name in _LAST_HOLDS}}  # noqa: PLW2901 - one run, merged
            self._runs[key] = run

    async def load_words(self, tx: Transaction, case_ids: Collection[str]) -> dict[str, Mapping[str, Any]]:
        """The searchable texts of these cases, in memory or written before."""
        unread = [case_id for case_id in case_ids if case_id not in self._words]
        written = await super().load_words(tx, unread) if unread else {}
        return written | {case_id: self._words[case_id] for case_id in case_ids if case_id in self._words}

    async def save_words(self, tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:  # noqa: ARG002 - as in ReadModel
        """Keep the searchable texts."""
        self._words |= {row["case_id"]: row for row in rows}

    async def save_sums(self, tx: Transaction, before: Mapping[str, CountedCase | None], rows: Iterable[CaseRow]) -> None:
        """Nothing: a case is counted once, when its row is written, and not at each of its events."""

    async def erase(self, tx: Transaction, case_ids: Sequence[str]) -> None:
        """Write what is in memory first: the statements change what is written."""
        await self.flush(tx)
        await super().erase(tx, case_ids)

    async def flush(self, tx: Transaction) -> None:
        """Write all that is in memory, and forget it."""
        rows, runs, words, counted = self._rows, self._runs, self._words, self._counted
        self._rows, self._runs, self._cases_with_runs, self._words, self._counted = {}, {}, set(), {}, {}
        await super().save_rows(tx, rows.values())
        for first in range(0, len(rows), _COUNTED_AT_ONCE):
            await super().save_sums(tx, counted, list(rows.values())[first : first + _COUNTED_AT_ONCE])
        await super().save_deadlines(tx, list(runs.values()))
        await super().save_words(tx, list(words.values()))
