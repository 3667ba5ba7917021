"""A table in a file: its titles, its rows one by one, and the properties found of the file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.intake.domain.submission_faults import SubmissionFault


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row; `number` is that of the file, the titles' row included, `fault` names the reason why its cells cannot be separated."""

    number: int
    cells: Sequence[Any]
    fault: SubmissionFault | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose rows are read once; `form` is csv or xlsx, `found` the properties found, for the report."""

    form: str
    titles: Sequence[Any]
    rows: Iterator[TableRow]
    encoding: str = ""
    delimiter: str = ","
    found: dict[str, str] = field(default_factory=dict)
