"""Checks lists of cases: columns and order can be filled from a case's events, and duties name lists that exist."""

from collections.abc import Iterator

from shared.contracts.events import EVENT_CLASSES
from shared.contracts.events.empty_fields import EMPTY_EVENT_FIELDS
from shared.procedures.checks.form_layouts import check_case_path
from shared.procedures.model.entry_list import YamlPath
from shared.procedures.model.finding import Finding
from shared.procedures.model.form_layout.lists import LIST_FIELDS, ListColumn, list_ids
from shared.procedures.model.procedure import Procedure


def check_case_lists(procedure: Procedure) -> Iterator[Finding]:
    """Findings for paths that nothing can fill, and for lists that a duty names and the procedure does not have."""
    for index, entry in enumerate(procedure.lists):
        for position, column in enumerate(entry.expanded_columns):
            for path in column.paths:
                yield from check_case_path(procedure, path, ("lists", index, "columns", position), LIST_FIELDS)
                yield from _check_take(column, path, ("lists", index, "columns", position))
        for position, path in enumerate(entry.order):
            yield from check_case_path(procedure, path.removeprefix("-"), ("lists", index, "order", position), LIST_FIELDS)
    yield from _check_duties(procedure)


def _check_take(column: ListColumn, path: str, yaml_path: YamlPath) -> Iterator[Finding]:
    event_type, _, name = path.partition(".")
    if column.take != "latest" and event_type not in EVENT_CLASSES:
        yield Finding(yaml_path, f"{path} is no field of an event, so there is one value only; remove take: {column.take}")
    elif column.take == "sum" and not _is_number(EMPTY_EVENT_FIELDS[event_type].get(name)):
        yield Finding(yaml_path, f"{path} is no number, so it has no sum; write take: all")


def _is_number(empty: object) -> bool:
    return isinstance(empty, int | float) and not isinstance(empty, bool)


def _check_duties(procedure: Procedure) -> Iterator[Finding]:
    for index, duty in enumerate(procedure.duties):
        for position, list_id in enumerate(duty.lists):
            if list_id not in (known := list_ids(procedure.lists)):
                yield Finding(("duties", index, "lists", position), f"there is no list {list_id}; there are {', '.join(known)}")
        if duty.lists and duty.report is None:
            yield Finding(("duties", index, "lists"), f"the duty {duty.id} makes no report that could contain its lists; add report")
