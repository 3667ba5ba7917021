"""Reads an organisation's history and its subject tree, as JSON Lines, and the labels that a person gave."""

import csv
import gzip
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import IO, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from services.triage.domain.reading.reading_copy import read_text
from shared.contracts.base import LongText, ShortText

DEFAULT_LABEL = "subject"
_SIMILAR = 0.75
"""How much of two names of fields is the same, from 0 to 1, where one is taken for a misspelt other."""
_GZIP_SUFFIX = ".gz"


class HistoryError(ValueError):
    """A file that cannot be used; the message names the line, the field, the rule and the remedy, never a value."""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A message of the past: reading copies of title and text, the value of each known label, and the group of near-duplicates."""

    title: str
    text: str
    labels: dict[str, str] = field(default_factory=dict)
    group: str = ""


@dataclass(frozen=True, slots=True)
class LabelNames:
    """The names of a value in a tree of names: names and synonyms of it and of what is below it."""

    value: str
    names: tuple[str, ...]


class _Line(BaseModel):
    # An organisation's export has columns of its own.
    model_config = ConfigDict(extra="ignore")

    title: LongText | None = ""
    text: LongText
    label: ShortText | dict[str, ShortText | None] | None = None
    group: Annotated[str | int | None, Field(union_mode="left_to_right")] = None

    @model_validator(mode="before")
    @classmethod
    def refuse_misspelt_fields(cls, line: Any) -> Any:
        """Refuse a key that is nearly that of an absent field: ignored, `labels` would leave every message without a label."""
        for name in cls.model_fields.keys() - line.keys() if isinstance(line, dict) else ():
            for key in get_close_matches(name, line.keys() - cls.model_fields.keys(), 1, _SIMILAR):
                raise PydanticCustomError("misspelt", "{key}: there is no such field, and {name} is missing", {"key": key, "name": name})
        return line


def read_history(path: Path, label: str = DEFAULT_LABEL) -> list[HistoryRow]:
    """The rows of a JSON Lines file, also of one that ends in .gz; a label that is one text is the value of `label`."""
    rows = [_row(line, number, path.name, label) for number, line in _lines(path)]
    if not rows:
        raise HistoryError(f"{path.name}: holds no message; write one JSON object a line with text, and title, label and group if known")
    return rows


def history_hash(rows: Sequence[HistoryRow]) -> str:
    """A hash of the history, by which a model's report names what it was trained on."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr((row.title, row.text, sorted(row.labels.items()), row.group)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def read_names(path: Path) -> list[LabelNames]:
    """The subject tree of a CSV file: the first column is the value, the others are names and synonyms below it."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [[cell.strip() for cell in row] for row in csv.reader(file)][1:]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise HistoryError(f"{path.name or path}: cannot be read as CSV in UTF-8; save it so, with a line of column titles") from error
    names = [LabelNames(row[0], tuple(read_text(cell).lower() for cell in row if cell)) for row in rows if row and row[0]]
    if not names:
        raise HistoryError(f"{path.name}: has no rows; write the value in the first column, its names and synonyms in the others")
    return names


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with _open(path) as file:
            yield from ((number, line) for number, line in enumerate(file, 1) if line.strip())
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise HistoryError(f"{path.name or path}: cannot be read; give a file of JSON Lines in UTF-8, plain or as .gz") from error


def _open(path: Path) -> IO[str]:
    return gzip.open(path, "rt", encoding="utf-8") if path.suffix == _GZIP_SUFFIX else path.open(encoding="utf-8")


def _row(line: str, number: int, file: str, label: str) -> HistoryRow:
    try:
        parsed = _Line.model_validate_json(line)
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        where = [f"{file}, line {number}", ".".join(str(part) for part in fault["loc"]), fault["msg"]]
        raise HistoryError(f"{': '.join(filter(None, where))}; correct it or leave the line out") from None
    given = parsed.label if isinstance(parsed.label, dict) else {label: parsed.label}
    title, text = read_text(parsed.title or ""), read_text(parsed.text)
    group = str(parsed.group) if parsed.group is not None else hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return HistoryRow(title, text, {name: value for name, value in given.items() if value}, group)
