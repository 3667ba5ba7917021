"""Turns rows of a table into submissions to register, or into refusals."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import orjson

from services.intake.application.registration_result import PendingRegistration, RegistrationResult, refused_result
from services.intake.application.submission_reading import SubmissionReader
from services.intake.channels.mapped_rows import RowReader
from services.intake.domain.submission import SourceContext
from services.intake.domain.submission_faults import SubmissionFault
from services.intake.transports.imports.files.table import TableRow

_SURPLUS = SubmissionFault("row", "too_many_cells", "put texts with the delimiter into quotation marks: the row has more cells than titles")


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row that is to be registered, or the refusal of it."""

    number: int
    reference: str
    reading: PendingRegistration | RegistrationResult


class RowSubmissions:
    """Reads rows as submissions of a source, by the code that reads those of HTTP."""

    def __init__(self, reader: SubmissionReader, context: SourceContext, row_reader: RowReader, *, has_delimiter: bool) -> None:
        self._reader = reader
        self._context = context
        self._row_reader = row_reader
        self._has_delimiter = has_delimiter

    def read(self, row: TableRow) -> ReadRow | None:
        """The row as a submission, None for an empty one."""
        if row.fault is not None:
            return ReadRow(row.number, "", refused_result("malformed", row.fault))
        # A note beside a sheet's table does no harm; in CSV a delimiter within a text has moved the cells behind it.
        if self._has_delimiter and self._row_reader.has_surplus(row.cells):
            return ReadRow(row.number, "", refused_result("malformed", _SURPLUS))
        mapped = self._row_reader.read(row.cells)
        if mapped.is_empty:
            return None
        reference = str(mapped.document.get("external_id", ""))
        if mapped.faults:
            return ReadRow(row.number, reference, refused_result("invalid", *mapped.faults))
        key = None if reference else _content_key(mapped.document, self._context)
        reading = self._reader.read(mapped.document, self._context, traceparent=None, idempotency_key=key, unreadable=mapped.unreadable)
        return ReadRow(row.number, reference, reading)


def pending(rows: Sequence[ReadRow]) -> list[PendingRegistration]:
    """Those that are to be registered, in order."""
    return [row.reading for row in rows if isinstance(row.reading, PendingRegistration)]


def _content_key(document: dict[str, object], context: SourceContext) -> str:
    """The key of a row without a reference: the same content is the same complaint, in any file."""
    content = orjson.dumps([context.source.id, document], option=orjson.OPT_SORT_KEYS, default=str)
    return f"row {sha256(content).hexdigest()}"
