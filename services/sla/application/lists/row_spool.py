"""Orders the rows of a list in temporary files, so that memory does not grow with the number of rows (external merge sort)."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import IO, Any

import orjson

from services.sla.domain.lists.case_rows import Cell, SortKey, order_key

RUN_BYTES = 8_000_000
"""Encoded rows that are ordered in memory before they go to a file."""
_INSTANT = "at"


class RowSpool:
    """Takes rows in any order and gives them in the order of the list; rows with equal keys stay in the order in which they came."""

    def __init__(self, order: list[str], run_bytes: int = RUN_BYTES) -> None:
        self.count = 0
        self._key = order_key(order)
        self._run_bytes = run_bytes
        self._rows: list[tuple[list[SortKey], bytes]] = []
        self._size = 0
        self._files: list[IO[bytes]] = []
        self._open_files = ExitStack()

    def add(self, case_id: str, sort_keys: list[SortKey], cells: list[Cell]) -> None:
        """Add a row."""
        row = orjson.dumps([sort_keys, case_id, [encode_cell(cell) for cell in cells]])
        self._rows.append((sort_keys, row))
        self._size += len(row)
        self.count += 1
        if self._size > self._run_bytes:
            self._write_run()

    def rows(self) -> Iterator[tuple[str, list[Cell]]]:
        """The rows with the ids of their cases, ordered; can be read again once it has been read to its end."""
        for _, case_id, cells in self._ordered():
            yield case_id, [decode_cell(cell) for cell in cells]

    def close(self) -> None:
        """Remove the files."""
        self._open_files.close()
        self._files.clear()

    def _ordered(self) -> Iterator[Any]:
        self._rows.sort(key=lambda row: self._key(row[0]))
        if not self._files:
            return (orjson.loads(row) for _, row in self._rows)
        self._write_run()
        for file in self._files:
            file.seek(0)
        return heapq.merge(*(map(orjson.loads, file) for file in self._files), key=lambda row: self._key(row[0]))

    def _write_run(self) -> None:
        if not self._rows:
            return
        self._rows.sort(key=lambda row: self._key(row[0]))
        file: IO[bytes] = self._open_files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - closed by `close`
        # orjson escapes line ends in texts, so that a line is a row.
        file.writelines(row + b"\n" for _, row in self._rows)
        self._files.append(file)
        self._rows, self._size = [], 0


def encode_cell(cell: Cell) -> Any:
    """A cell as JSON."""
    return {_INSTANT: cell.isoformat()} if isinstance(cell, datetime) else cell


def decode_cell(cell: Any) -> Cell:
    """The cell in what `encode_cell` made of it."""
    return datetime.fromisoformat(cell[_INSTANT]) if isinstance(cell, dict) else cell
