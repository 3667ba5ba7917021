"""The rows of a list: whether a case belongs to it, the cells of its columns, and its place in the order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.sla.domain.lists.list_filter import ListFilter
from services.sla.domain.lists.list_record import ListRecord
from services.sla.domain.lists.record_scope import RecordScope
from shared.contracts.events.empty_fields import EPOCH
from shared.contracts.instants import read_instant
from shared.procedures.expressions.conditions import Condition, NamePath, UnevaluableConditionError, compile_condition
from shared.procedures.forms.field_text import FormTexts
from shared.procedures.model.form_layout.fields import FormField
from shared.procedures.model.form_layout.lists import CaseListEntry, ListColumn
from shared.procedures.model.procedure import Procedure

Cell = str | int | float | datetime | None
"""A datetime is local, without its offset: spreadsheets know no zones."""
SortKey = list[str | float]


@dataclass(frozen=True, slots=True)
class ListScope:
    """The instants between which a list's period lies (none: all time), and the filter of the reader."""

    since: datetime | None = None
    until: datetime | None = None
    where: ListFilter = field(default_factory=ListFilter)

    def contains(self, text: Any) -> bool:
        """Whether an instant lies in the period."""
        instant = read_instant(text)
        return instant is not None and (self.since is None or instant >= self.since) and (self.until is None or instant < self.until)


class ListRows:
    """Computes the rows of one list; `procedure` is the version that declares it, whatever versions its cases began under."""

    def __init__(self, procedure: Procedure, entry: CaseListEntry, scope: ListScope) -> None:
        self.entry = entry
        self.columns = entry.expanded_columns
        self._procedure = procedure
        self._scope = scope
        self._when = None if entry.when is None else compile_condition(entry.when)
        self._expressions = {column.expression: compile_condition(column.expression) for column in self.columns if column.expression}

    def includes(self, record: ListRecord, texts: FormTexts) -> bool:
        """Whether a case belongs to the list.

        A case on which the list's condition cannot be evaluated is included: left out, it would be overlooked.
        """
        if not self._is_of_period(record) or not self._scope.where.matches(record, texts.is_hidden):
            return False
        try:
            return self._when is None or self._when.holds(RecordScope(record, self._procedure, texts.zone))
        except UnevaluableConditionError:
            return True

    def cells(self, record: ListRecord, texts: FormTexts) -> list[Cell]:
        """The cells of a case's row, with a mark in place of what the reader of `texts` may not see."""
        return [self._cell(column, record, texts) for column in self.columns]

    def titles(self, texts: FormTexts) -> list[str]:
        """The titles of the columns."""
        return [column_title(column, texts) for column in self.columns]

    def read_paths(self) -> list[list[str]]:
        """The fields that each column reads: who may not see one of them may not see the cell."""
        return [
            [*column.paths, *(field_path(path) for path in self._expressions[column.expression].paths)]
            if column.expression
            else [*column.paths]
            for column in self.columns
        ]

    def sort_keys(self, record: ListRecord, texts: FormTexts) -> list[SortKey]:
        """The values by which the row is ordered, for `order_key`; a value that the reader may not see orders nothing."""
        return [sort_key(self._order_value(path.removeprefix("-"), record, texts)) for path in self.entry.order]

    def _order_value(self, path: str, record: ListRecord, texts: FormTexts) -> Any:
        value = None if texts.is_hidden(path) else record.value(path)
        if value is None or not texts.is_instant(path):
            return value
        instant = read_instant(value)
        return value if instant is None else instant.timestamp()

    def _is_of_period(self, record: ListRecord) -> bool:
        scope, is_open = self._scope, record.values["status"] == "open"
        if not record.events:
            return False
        match self.entry.cases:
            case "received":
                return scope.contains(record.values.get("received_at"))
            case "open":
                return bool(is_open)
            case "ended":
                return not is_open and scope.contains(record.ended_at)
        return bool(is_open) or any(scope.contains(event["at"]) for event in reversed(record.events))

    def _cell(self, column: ListColumn, record: ListRecord, texts: FormTexts) -> Cell:
        if column.expression:
            return self._computed_cell(self._expressions[column.expression], record, texts)
        for path in column.paths:
            if texts.is_hidden(path):
                return texts.confidential
            value = record.taken_value(path, column.take)
            if value not in (None, "", []):
                return _cell_of(texts, path, value)
        return None

    def _computed_cell(self, expression: Condition, record: ListRecord, texts: FormTexts) -> Cell:
        if any(texts.is_hidden(field_path(path)) for path in expression.paths):
            return texts.confidential
        try:
            value = expression.evaluate(RecordScope(record, self._procedure, texts.zone))
        except UnevaluableConditionError:
            return texts.names.choose("（无法计算）", "(cannot be computed)")
        if isinstance(value, datetime):
            return None if value == EPOCH else value.replace(tzinfo=None)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else texts.value("", value) or None


def _cell_of(texts: FormTexts, path: str, value: Any) -> Cell:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    instant = read_instant(value) if texts.is_instant(path) else None
    if instant is not None:
        return instant.astimezone(texts.zone).replace(tzinfo=None, microsecond=0)
    return texts.value(path, value) or None


def column_title(column: ListColumn, texts: FormTexts) -> str:
    """The title of a column: its own, else the name of its first path."""
    fallback = column.expression or texts.field_label(FormField(value=column.paths[0]))
    return texts.label(column, fallback)


def field_path(path: NamePath) -> str:
    """The path of a form's field that a name in an expression reads, to ask whether it is hidden."""
    match path[0]:
        case "complaint" | "case" | "last":
            return ".".join(path[1:])
    return ".".join(path)


def sort_key(value: Any) -> SortKey:
    """A value as a list that can be compared with those of all other values: numbers come first, missing values last."""
    match value:
        case None | "" | []:
            return [2, ""]
        case bool() | int() | float():
            return [0, float(value)]
        case list():
            return [1, " ".join(map(str, value))]
    return [1, str(value)]


def order_key(order: Sequence[str]) -> Callable[[list[SortKey]], tuple[Any, ...]]:
    """The key function for rows with `sort_keys` by these paths."""
    descending = [path.startswith("-") for path in order]

    def key(values: list[SortKey]) -> tuple[Any, ...]:
        return tuple(_Descending(value) if is_descending else value for value, is_descending in zip(values, descending, strict=False))

    return key


@dataclass(frozen=True, slots=True, eq=True)
class _Descending:
    """A key in reverse order; missing values stay last."""

    value: SortKey

    def __lt__(self, other: _Descending) -> bool:
        if self.value[0] != other.value[0]:
            return self.value < other.value
        return other.value < self.value
