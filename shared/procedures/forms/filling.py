"""Fills the layout of a form from the events of a case: pure, and the same events always give the same form."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from shared.contracts.attachments import may_be_image
from shared.procedures.forms.case_record import CaseRecord, EventFields, case_record
from shared.procedures.forms.field_text import FormTexts
from shared.procedures.forms.filled_form import FilledBox, FilledField, FilledForm, FilledSection, FilledSignature, FilledTable
from shared.procedures.forms.versions import FormVersion
from shared.procedures.model.form_layout.fields import FormField
from shared.procedures.model.form_layout.layout import FormEntry, FormSection, FormSignature, FormTable

ValueReader = Callable[[str], Any]
"""The value at a path, None without one."""


def fill_form(form: FormEntry, events: Sequence[EventFields], texts: FormTexts, versions: Sequence[FormVersion] = ()) -> FilledForm:
    """The form of a case after its events; `versions` are those up to now, of which the last is printed with its hash.

    The caller cuts `events` at the version that it wants to print; what happened after the last signature makes a working copy.
    """
    record = case_record(events)
    signed = versions[-1] if versions else None
    is_version = signed is not None and signed.sequence == events[-1]["sequence"]
    return FilledForm(
        **_head(form, texts),
        number=form_number(form, texts, str(record.values.get("number", ""))),
        state=_state(texts, signed, is_version=is_version),
        sections=tuple(_fill_section(section, record, texts) for section in form.sections),
        hash=signed.hash if signed is not None and is_version else "",
    )


def blank_form(form: FormEntry, texts: FormTexts, number: str) -> FilledForm:
    """The form without any value, to be written by hand, under a number of the register of issued forms."""
    sections = tuple(_fill_section(section, CaseRecord(values={}), texts) for section in form.sections)
    return FilledForm(**_head(form, texts), number=number, state=texts.names.choose("空白表单", "blank form"), sections=sections)


def form_number(form: FormEntry, texts: FormTexts, case_number: str) -> str:
    """The number of a case's form: the case number with the form's position in the procedure, so that no two are equal."""
    position = [entry.id for entry in texts.procedure.forms].index(form.id) + 1
    return f"{case_number}/{position:02}" if case_number else ""


def fill_field(form_field: FormField, read: ValueReader, texts: FormTexts) -> FilledField:
    """A field, whose value `read` gives."""
    text, path = _first_text(form_field, read, texts)
    boxes: tuple[FilledBox, ...] = ()
    photos: tuple[str, ...] = ()
    if form_field.show != "text" and not texts.is_hidden(path):
        text = ""
        if form_field.show == "boxes":
            boxes = texts.boxes(path, read(path))
        else:
            photos = tuple(texts.value(path, reference) for reference in read(path) or () if may_be_image(reference))
            # A blank form has no number: what is to be filled in by hand is not missing yet.
            text = "" if photos or not read("number") else texts.missing
    return FilledField(texts.field_label(form_field), text, boxes, photos, form_field.wide or form_field.show == "photos", form_field.lines)


def fill_row(columns: Sequence[FormField], read: ValueReader, texts: FormTexts) -> tuple[str, ...]:
    """The texts of a table's row."""
    return tuple(_first_text(column, read, texts)[0] for column in columns)


def pad_rows(rows: Sequence[tuple[str, ...]], width: int, least: int) -> tuple[tuple[str, ...], ...]:
    """The rows, and empty ones up to the number that the layout asks for."""
    return (*rows, *[("",) * width] * (least - len(rows)))


def _head(form: FormEntry, texts: FormTexts) -> dict[str, Any]:
    organisation, procedure = texts.organisation, texts.procedure
    return {
        "id": form.id,
        "language": texts.language,
        "title": texts.names.title(form),
        "organisation": texts.names.choose(organisation.zh or organisation.en, organisation.en or organisation.zh),
        "regulation": texts.names.title(procedure.title),
        "code": form.code,
        "copies": tuple(texts.label(copy) for copy in form.copies),
        "notes": tuple(texts.label(note) for note in form.notes),
    }


def _state(texts: FormTexts, signed: FormVersion | None, *, is_version: bool) -> str:
    if signed is None:
        return texts.names.choose("尚未签署", "not signed yet")
    if is_version:
        return texts.names.choose(
            f"第{signed.version}版，签署于{texts.instant(signed.at)}", f"version {signed.version}, signed {texts.instant(signed.at)}"
        )
    return texts.names.choose(f"第{signed.version}版之后的工作稿", f"working copy after version {signed.version}")


def _fill_section(section: FormSection, record: CaseRecord, texts: FormTexts) -> FilledSection:
    after = record.last_sequence(section.after)
    return FilledSection(
        texts.label(section),
        tuple(fill_field(field, partial(record.value, after=after, first=field.first), texts) for field in section.expanded_fields),
        None if section.table is None else _fill_event_table(section.table, record, texts),
        tuple(_fill_signature(signature, record, after, texts) for signature in section.signatures),
    )


def _first_text(form_field: FormField, read: ValueReader, texts: FormTexts) -> tuple[str, str]:
    """The text of the first path that has one, with the path."""
    for path in form_field.paths:
        text = texts.confidential if texts.is_hidden(path) else texts.value(path, read(path))
        if text:
            return text, path
    return "", form_field.paths[0]


def _fill_event_table(table: FormTable, record: CaseRecord, texts: FormTexts) -> FilledTable:
    columns = table.expanded_columns
    rows = [fill_row(columns, event.get, texts) for event in record.events if event["event"] in table.events]
    heads = tuple(texts.field_label(column) for column in columns)
    return FilledTable(texts.label(table), heads, pad_rows(rows, len(columns), table.blank_rows))


def _fill_signature(signature: FormSignature, record: CaseRecord, after: int, texts: FormTexts) -> FilledSignature:
    roles = texts.names.join_list([texts.names.role(role) for role in signature.roles], ("或", "or"))
    label = texts.label(signature, roles)
    event = record.latest(signature.events, signature.roles, after)
    if event is None:
        return FilledSignature(label)
    role = texts.names.role(str(event["role"])) if event.get("role") else ""
    event_name = texts.names.event(str(event["event"]))
    act = event_name if len(signature.events) > 1 else ""
    # No person signs what is deemed approved: the act itself stands in the place of a name.
    name = texts.person(str(event["actor"])) if event.get("actor") else role or event_name
    return FilledSignature(label, name, role, act, texts.instant(event["at"]))
