"""Checks the layouts of forms: each field, column and signature can be filled from the events of a case or of a period."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from shared.contracts.events import EVENT_CLASSES
from shared.contracts.events.base import ActionEvent
from shared.contracts.events.closed_values import CLOSED_EVENT_VALUES
from shared.contracts.events.empty_fields import EMPTY_EVENT_FIELDS
from shared.procedures.model.entry_list import YamlPath
from shared.procedures.model.finding import Finding
from shared.procedures.model.form_layout.fields import (
    CASE_FIELDS,
    CLOSED_VALUES,
    COMPLAINANT_FIELDS,
    EVENT_ROW_FIELDS,
    PERIOD_FIELDS,
    FormField,
)
from shared.procedures.model.form_layout.layout import FormEntry, FormSection, FormSignature, FormTable
from shared.procedures.model.procedure import Procedure

_SIGNING_EVENTS = frozenset(name for name, cls in EVENT_CLASSES.items() if issubclass(cls, ActionEvent)) | {"measures_deemed_approved"}


def check_form_layouts(procedure: Procedure) -> Iterator[Finding]:
    """Findings for fields, columns and signatures that nothing can fill, and for forms without a layout."""
    for index, form in enumerate(procedure.forms):
        if not form.sections:
            yield Finding(("forms", index), f"the form {form.id} has no sections, so it prints nothing; add its fields", "warning")
        for position, section in enumerate(form.sections):
            yield from _check_section(procedure, form, section, ("forms", index, "sections", position))


def _check_section(procedure: Procedure, form: FormEntry, section: FormSection, yaml_path: YamlPath) -> Iterator[Finding]:
    yield from _check_event_names((*yaml_path, "after"), section.after, EVENT_CLASSES)
    for index, field in enumerate(section.expanded_fields):
        yield from _check_field(procedure, form, field, (*yaml_path, "fields", index))
    if section.table is not None:
        yield from _check_table(procedure, form, section.table, (*yaml_path, "table"))
    for index, signature in enumerate(section.signatures):
        yield from _check_signature(form, signature, (*yaml_path, "signatures", index))


def _check_field(procedure: Procedure, form: FormEntry, field: FormField, yaml_path: YamlPath) -> Iterator[Finding]:
    for path in field.paths:
        if form.per != "case":
            yield from _check_known(yaml_path, "field of a period", path, PERIOD_FIELDS)
        else:
            yield from check_case_path(procedure, path, yaml_path)
    if field.show == "boxes":
        yield from _check_boxes(procedure, field, yaml_path)


def _check_boxes(procedure: Procedure, field: FormField, yaml_path: YamlPath) -> Iterator[Finding]:
    for path in field.paths:
        root, _, name = path.partition(".")
        declared = procedure.facts.get(name) if root == "facts" else None
        if path not in CLOSED_VALUES and path not in CLOSED_EVENT_VALUES and (declared is None or declared.type != "bool"):
            message = f"{path} has no closed list of values to print boxes for; remove show: boxes, or use a fact of the type bool"
            yield Finding(yaml_path, message)


def _check_table(procedure: Procedure, form: FormEntry, table: FormTable, yaml_path: YamlPath) -> Iterator[Finding]:
    if sum((bool(table.events), table.cases, bool(table.count_by))) != 1:
        yield Finding(yaml_path, "the table has no rows, or rows of two kinds; give one of events, cases and count_by")
        return
    if bool(table.events) != (form.per == "case"):
        remedy = "events" if form.per == "case" else "cases or count_by"
        yield Finding(yaml_path, f"a form per {form.per} has a table over {remedy}; change the table or per")
    yield from _check_event_names((*yaml_path, "events"), table.events, EVENT_CLASSES)
    if table.count_by:
        yield from check_case_path(procedure, table.count_by, (*yaml_path, "count_by"))
        return
    if not table.columns:
        yield Finding(yaml_path, "the table has no columns; add them")
    for index, column in enumerate(table.expanded_columns):
        for path in column.paths:
            if table.cases:
                yield from check_case_path(procedure, path, (*yaml_path, "columns", index))
            else:
                fields = {name for event in table.events for name in EMPTY_EVENT_FIELDS.get(event, ())}
                yield from _check_known((*yaml_path, "columns", index), "field of these events", path, {*EVENT_ROW_FIELDS, *fields})


def _check_signature(form: FormEntry, signature: FormSignature, yaml_path: YamlPath) -> Iterator[Finding]:
    if form.per == "case" and not signature.events:
        yield Finding(yaml_path, "no event signs here, so the signature stays blank; add the events that sign under events")
    for event in signature.events:
        if event in EVENT_CLASSES and event not in _SIGNING_EVENTS:
            yield Finding(yaml_path, f"{event} is no act of a person, so it cannot sign; name the event of the action that signs")
        else:
            yield from _check_known(yaml_path, "event", event, EVENT_CLASSES)


def check_case_path(procedure: Procedure, path: str, yaml_path: YamlPath, more_fields: Iterable[str] = ()) -> Iterator[Finding]:
    """Findings for a path that no event of a case can fill; `more_fields` are fields of the case beside those of forms."""
    root, dot, name = path.partition(".")
    if not dot:
        yield from _check_known(yaml_path, "field of a case", path, (*CASE_FIELDS, *more_fields))
        if (path == "class" and not procedure.classes) or (path == "subject" and not procedure.subjects):
            yield Finding(yaml_path, f"the procedure declares no {path}, so the field is never filled; remove it, or declare one")
    elif root == "complainant":
        yield from _check_known(yaml_path, "field of the complainant that a form may print", name, COMPLAINANT_FIELDS)
    elif root == "facts":
        yield from _check_known(yaml_path, "fact", name, procedure.facts)
    elif root == "parameters":
        yield from _check_known(yaml_path, "parameter", name, procedure.parameters)
    elif root in EVENT_CLASSES:
        yield from _check_known(yaml_path, f"field of {root}", name, {*EMPTY_EVENT_FIELDS[root]} - {"day"})
    else:
        yield from _check_known(yaml_path, "event", root, EVENT_CLASSES)


def _check_event_names(yaml_path: YamlPath, events: Iterable[str], known: Iterable[str]) -> Iterator[Finding]:
    for event in events:
        yield from _check_known(yaml_path, "event", event, known)


def _check_known(yaml_path: YamlPath, kind: str, name: str, known: Iterable[str]) -> Iterator[Finding]:
    names = set(known)
    if name in names:
        return
    close = get_close_matches(name, sorted(names), 1)
    remedy = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(names)) or 'none'}"
    yield Finding(yaml_path, f"there is no {kind} {name}; {remedy}")
