"""Writes the read model: a few statements for each batch, whatever its size."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter, itemgetter
from typing import Any

import orjson

from services.desk.domain.case_row import CaseRow
from services.desk.domain.figures.case_sums import CountedCase, SumChanges, SumKey, counted_case
from shared.runtime.database.database import Transaction

_ROW_FIELDS = tuple(field.name for field in fields(CaseRow))
_COLUMNS = tuple(name.rstrip("_") for name in _ROW_FIELDS)
_RUNNING = _ROW_FIELDS.index("running")
_row_values = attrgetter(*_ROW_FIELDS)
_column_values = itemgetter(*_COLUMNS)
_LOAD = "SELECT * FROM {table} WHERE case_id = ANY($1::text[]) ORDER BY case_id FOR UPDATE"
_UPSERT = """
INSERT INTO {table} ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{table}, $1::json)
ON CONFLICT ({keys}) DO UPDATE SET {updates}
"""
_INSERT = """
INSERT INTO {table} ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{table}, $1::json) ON CONFLICT DO NOTHING
"""
_DEADLINES = """
INSERT INTO {table} AS known (case_id, clock, round, state, clause, role, due_at, started_at, breached_at, ended_at, sequence)
SELECT case_id, clock, round, coalesce(nullif(state, ''), 'running'), clause, role, due_at, started_at, breached_at, ended_at, sequence
  FROM json_to_recordset($1::json) AS change (case_id text, clock text, round integer, state text, clause text, role text,
    due_at timestamptz, keeps_due boolean, started_at timestamptz, breached_at timestamptz, ended_at timestamptz, sequence integer)
ON CONFLICT (case_id, clock, round) DO UPDATE SET
    state = excluded.state, clause = coalesce(nullif(excluded.clause, ''), known.clause),
    role = coalesce(nullif(excluded.role, ''), known.role), due_at = excluded.due_at,
    started_at = coalesce(known.started_at, excluded.started_at), breached_at = coalesce(known.breached_at, excluded.breached_at),
    ended_at = coalesce(excluded.ended_at, known.ended_at), sequence = excluded.sequence
WHERE excluded.sequence > known.sequence
"""
_AUDIENCES = """
INSERT INTO {table} (audience, seen_by, against)
SELECT audience, seen_by, against FROM json_to_recordset($1::json) AS added (audience uuid, seen_by text[], against text[])
 ORDER BY audience ON CONFLICT DO NOTHING
"""
# In the order of the keys, since two processes add to the same rows.
_SUMS = """
INSERT INTO {table} AS known (unit, period, procedure, dimension, value, audience, counts)
SELECT * FROM json_to_recordset($1::json)
    AS change (unit text, period date, procedure text, dimension text, value text, audience uuid, counts integer[])
 ORDER BY unit, period, procedure, dimension, value, audience
ON CONFLICT (unit, dimension, period, procedure, value, audience) DO UPDATE SET counts = ARRAY(
    SELECT coalesce(old, 0) + coalesce(added, 0) FROM unnest(known.counts, excluded.counts) WITH ORDINALITY AS pair (old, added, place)
     ORDER BY place)
"""
_MOST_SUMS = 10_000
"""Of one statement, in parts of a few MB."""
_LOAD_DEADLINES = "SELECT * FROM {table} WHERE case_id = ANY($1::text[])"
_ERASE = (
    "UPDATE {case_row} SET title = '' WHERE case_id = ANY($1::text[])",
    "UPDATE {case_event} SET body = '{{}}' WHERE case_id = ANY($1::text[])",
    "DELETE FROM {case_search} WHERE case_id = ANY($1::text[])",
    "DELETE FROM {case_attachment} WHERE case_id = ANY($1::text[])",
)


class ReadModel:
    """The tables of one read model; `suffix` names the set that a rebuild fills."""

    def __init__(self, suffix: str = "") -> None:
        self._suffix = suffix

    def table(self, name: str) -> str:
        """The name of a table of this set."""
        return f"{name}{self._suffix}"

    async def load_rows(self, tx: Transaction, case_ids: Collection[str]) -> dict[str, CaseRow]:
        """The known rows among these cases, locked in order of their ids."""
        rows = await tx.fetch(_LOAD.format(table=self.table("case_row")), sorted(case_ids))
        return {row["case_id"]: _row(row) for row in rows}

    async def save_rows(self, tx: Transaction, rows: Iterable[CaseRow]) -> None:
        """Insert or replace rows."""
        await self._upsert(tx, "case_row", [_columns(row) for row in rows], ("case_id",))

    async def add_events(self, tx: Transaction, events: Sequence[Mapping[str, Any]]) -> None:
        """Add events of cases; those that are there stay as they are."""
        await self._insert(tx, "case_event", events)

    async def load_runs(self, tx: Transaction, case_ids: Collection[str]) -> dict[tuple[str, str, int], Mapping[str, Any]]:
        """The runs of clocks of these cases."""
        rows = await tx.fetch(_LOAD_DEADLINES.format(table=self.table("case_deadline")), sorted(case_ids))
        return {(row["case_id"], row["clock"], row["round"]): row for row in rows}

    async def save_deadlines(self, tx: Transaction, runs: Sequence[Mapping[str, Any]]) -> None:
        """Insert or change runs of clocks, each at most once."""
        if runs:
            await tx.execute(_DEADLINES.format(table=self.table("case_deadline")), _json(runs))

    async def save_messages(self, tx: Transaction, messages: Sequence[Mapping[str, Any]]) -> None:
        """Add requested notifications."""
        await self._insert(tx, "case_message", messages)

    async def save_deliveries(self, tx: Transaction, deliveries: Sequence[Mapping[str, Any]]) -> None:
        """Insert or replace the outcome of deliveries, each at most once; a later stage is never replaced by an earlier one."""
        newer = f" WHERE excluded.rank >= {self.table('case_delivery')}.rank"
        await self._upsert(tx, "case_delivery", deliveries, ("delivery",), newer)

    async def add_attachments(self, tx: Transaction, attachments: Sequence[Mapping[str, Any]]) -> None:
        """Add attachments of cases."""
        await self._insert(tx, "case_attachment", attachments)

    async def load_words(self, tx: Transaction, case_ids: Collection[str]) -> dict[str, Mapping[str, Any]]:
        """The searchable texts of these cases with their grams."""
        rows = await tx.fetch(_LOAD.format(table=self.table("case_search")), sorted(case_ids))
        return {row["case_id"]: row for row in rows}

    async def save_words(self, tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert or replace searchable texts with their grams."""
        await self._upsert(tx, "case_search", rows, ("case_id",))

    async def save_sums(self, tx: Transaction, before: Mapping[str, CountedCase | None], rows: Iterable[CaseRow]) -> None:
        """Change the sums of figures by what these cases add now and did not before."""
        changes = SumChanges()
        for row in rows:
            changes.add(before.get(row.case_id), counted_case(row))
        audiences = [{"audience": str(each.key), "seen_by": each.seen_by, "against": each.against} for each in changes.audiences.values()]
        if audiences:
            await tx.execute(_AUDIENCES.format(table=self.table("figure_audience")), _json(audiences))
        sums = [dict(zip((*SumKey._fields, "counts"), (*key, counts), strict=True)) for key, counts in changes.rows()]
        for first in range(0, len(sums), _MOST_SUMS):
            await tx.execute(_SUMS.format(table=self.table("figure_sum")), _json(sums[first : first + _MOST_SUMS]))

    async def erase(self, tx: Transaction, case_ids: Sequence[str]) -> None:
        """Take the words of people out of these cases; their deadlines and the order of events stay."""
        names = {name: self.table(name) for name in ("case_row", "case_event", "case_search", "case_attachment")}
        for statement in _ERASE:
            await tx.execute(statement.format(**names), list(case_ids))

    async def _upsert(
        self, tx: Transaction, table: str, rows: Sequence[Mapping[str, Any]], keys: tuple[str, ...], condition: str = ""
    ) -> None:
        if not rows:
            return
        columns = ", ".join(rows[0])
        updates = ", ".join(f"{column} = excluded.{column}" for column in rows[0] if column not in keys)
        statement = _UPSERT.format(table=self.table(table), columns=columns, keys=", ".join(keys), updates=updates)
        await tx.execute(statement + condition, _json(rows))

    async def _insert(self, tx: Transaction, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            await tx.execute(_INSERT.format(table=self.table(table), columns=", ".join(rows[0])), _json(rows))


def _row(record: Mapping[str, Any]) -> CaseRow:
    values = list(_column_values(record))
    values[_RUNNING] = orjson.loads(values[_RUNNING])
    return CaseRow(*values)


def _columns(row: CaseRow) -> dict[str, Any]:
    # Not dataclasses.asdict: its deep copies took half of the time of a batch.
    values = dict(zip(_COLUMNS, _row_values(row), strict=True))
    values["running"] = orjson.dumps(row.running).decode()
    return values


def _json(rows: Iterable[Mapping[str, Any]]) -> str:
    # One parameter for a batch of any shape; json, not jsonb: it is read once, column by column.
    return orjson.dumps(list(rows)).decode().replace("\\u0000", "\\ufffd")
