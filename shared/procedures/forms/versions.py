"""The signed versions of a form: each event that signs it makes one, and its hash follows from the case's events alone."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from shared.procedures.forms.case_record import CaseRecord, EventFields, case_record, is_act_of
from shared.procedures.model.form_layout.layout import FormEntry, FormSection
from shared.procedures.model.procedure import Procedure


@dataclass(frozen=True, slots=True)
class FormVersion:
    """A signed state of a form: what it contained right after the event with this sequence; `hash` is hexadecimal."""

    form: str
    version: int
    sequence: int
    event: str
    at: Any
    hash: str


def form_versions(procedure: Procedure, form: FormEntry, events: Sequence[EventFields]) -> list[FormVersion]:
    """The versions of a form of a case, oldest first."""
    record = CaseRecord()
    versions: list[FormVersion] = []
    for event in events:
        record.apply(event)
        if _signs(form, event):
            number = len(versions) + 1
            digest = _content_hash(procedure, form, record, number)
            versions.append(FormVersion(form.id, number, event["sequence"], event["event"], event["at"], digest))
    return versions


def all_versions(procedure: Procedure, events: Sequence[EventFields]) -> list[FormVersion]:
    """The versions of all forms of a case, form by form."""
    return [version for form in procedure.forms if form.per == "case" for version in form_versions(procedure, form, events)]


def version_hash(procedure: Procedure, form: FormEntry, events: Sequence[EventFields], version: int) -> str | None:
    """The hash of a version; None if the case has no such version."""
    return next((found.hash for found in form_versions(procedure, form, events) if found.version == version), None)


def is_opened(form: FormEntry, events: Sequence[EventFields]) -> bool:
    """Whether the event that opens the form has happened."""
    return case_record(events).latest((form.opens,)) is not None


def _signs(form: FormEntry, event: EventFields) -> bool:
    return any(is_act_of(event, signature.events, signature.roles) for _, signature in form.signatures)


def _content_hash(procedure: Procedure, form: FormEntry, record: CaseRecord, number: int) -> str:
    # Values as they stand in the events, not the printed texts: a new title of a department must not change a signed form.
    document = {
        "procedure": f"{procedure.id}@{procedure.version}",
        "form": form.id,
        "version": number,
        "case": record.events[0]["case"],
        "sequence": record.events[-1]["sequence"],
        "sections": [_section_values(section, record) for section in form.sections],
    }
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _section_values(section: FormSection, record: CaseRecord) -> dict[str, Any]:
    after = record.last_sequence(section.after)
    fields = [[path, record.value(path, after, first=field.first)] for field in section.expanded_fields for path in field.paths]
    rows: list[Any] = []
    if section.table is not None:
        paths = [path for column in section.table.expanded_columns for path in column.paths]
        rows = [[event.get(path) for path in paths] for event in record.events if event["event"] in section.table.events]
    signed = [record.latest(signature.events, signature.roles, after) for signature in section.signatures]
    signatures = [event and [event["sequence"], event["event"], event.get("actor"), event.get("role"), event["at"]] for event in signed]
    return {"fields": fields, "rows": rows, "signatures": signatures}
