"""Reads the typed fields of a web form: a submission's document, or a fault for each field. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any, Literal

from services.intake.domain.plain_text import sanitised_text
from shared.contracts.contact_forms import read_email, read_phone
from shared.contracts.instants import read_instant
from shared.procedures.model.facts import coerce_fact
from shared.procedures.model.procedure import FactDeclaration, Procedure
from shared.procedures.model.sources.web_form import COMPLAINANT_FIELDS, FACT_PREFIX, FORM_FIELDS, WebForm, WebFormField

FieldFaultCode = Literal["missing", "too_long", "phone", "email", "date", "future", "choice", "fact"]
FieldKind = Literal["line", "text", "lines", "instant", "date", "number", "yes_no", "choice"]
_LONG_FIELDS = {"text": 10_000, "demand": 5_000}
_LINE_LENGTH = 300
_MAX_UNITS = 20
_KINDS: dict[str, FieldKind] = {"text": "text", "demand": "text", "against": "lines", "happened_at": "instant"}
_FACT_KINDS: dict[str, FieldKind] = {
    "bool": "yes_no",
    "int": "number",
    "number": "number",
    "text": "line",
    "instant": "instant",
    "date": "date",
}
_MINUTE_LENGTH = len("2026-11-09T09:00")


@dataclass(frozen=True, slots=True)
class FormLine:
    """A field of a form as it is shown: its kind, whether it is required, and its fact, if any."""

    field: WebFormField
    kind: FieldKind
    required: bool
    fact: FactDeclaration | None = None

    @property
    def name(self) -> str:
        """The field's name in the form."""
        return self.field.field

    @property
    def max_length(self) -> int:
        """Characters that the field takes at most."""
        return _LONG_FIELDS.get(self.name, _LINE_LENGTH * _MAX_UNITS if self.kind == "lines" else _LINE_LENGTH)


@dataclass(frozen=True, slots=True)
class FormReading:
    """A document for `SubmissionReader`, complete where there is no fault; `faults` are by field, in the form's order."""

    document: dict[str, Any] = field(default_factory=dict)
    faults: dict[str, FieldFaultCode] = field(default_factory=dict)


def form_lines(form: WebForm, procedure: Procedure) -> list[FormLine]:
    """The fields of the form, and those that the procedure requires and a person can type; `text` is always one of them."""
    required = {name.removeprefix("complainant.") for name in procedure.register_.required} | {"text"}
    fields = [*form.fields]
    named = {each.field for each in fields}
    fields += [WebFormField(field=name) for name in FORM_FIELDS if name in required and name not in named]
    lines = []
    for each in fields:
        fact = procedure.facts.get(each.field.removeprefix(FACT_PREFIX)) if each.field.startswith(FACT_PREFIX) else None
        kind = "choice" if each.choices else _FACT_KINDS[fact.type] if fact else _KINDS.get(each.field, "line")
        lines.append(FormLine(each, kind, each.required or each.field in required, fact))
    return lines


def read_form(
    form: WebForm, lines: Sequence[FormLine], typed: Mapping[str, str], region: str, zone: tzinfo, now: datetime, max_future: timedelta
) -> FormReading:
    """The submission of the typed fields, received now; `region` (ISO 3166) and `zone` are those of the source."""
    anonymous = form.anonymous and bool(typed.get("anonymous"))
    complainant: dict[str, Any] = {"kind": form.kind, "anonymous": anonymous}
    document: dict[str, Any] = {"received_at": now.isoformat(), "channel": form.channel, "complainant": complainant}
    reading = FormReading(document)
    for line in lines:
        text = _cleaned(typed.get(line.name, ""))
        if not text:
            # A person who stays anonymous is not asked who he is.
            if line.required and not (anonymous and line.name in COMPLAINANT_FIELDS):
                reading.faults[line.name] = "missing"
            continue
        value, fault = _read_value(line, text, region, zone)
        if not fault and line.name == "happened_at" and value > now + max_future:
            fault = "future"
        if fault:
            reading.faults[line.name] = fault
        else:
            _place(document, line.name, value.isoformat() if isinstance(value, datetime) else value)
    return reading


def _read_value(line: FormLine, text: str, region: str, zone: tzinfo) -> tuple[Any, FieldFaultCode | None]:
    if len(text) > line.max_length:
        return None, "too_long"
    if line.kind == "choice":
        return text, None if any(choice.value == text for choice in line.field.choices) else "choice"
    if line.kind == "lines":
        return [part.strip() for part in text.splitlines() if part.strip()][:_MAX_UNITS], None
    if line.kind == "instant":
        instant = _local_instant(text, zone)
        return instant, None if instant else "date"
    if line.fact is not None:
        value = coerce_fact(line.fact, text)
        return value, None if value is not None else "date" if line.kind == "date" else "fact"
    if line.name == "phone":
        return text, None if read_phone(text, region) else "phone"
    if line.name == "email":
        return text, None if read_email(text) else "email"
    return text, None


def _local_instant(text: str, zone: tzinfo) -> datetime | None:
    """A wall-clock time of the source's zone, as browsers send it or as people type it where they have no field for it."""
    written = text.replace("/", "-").replace(" ", "T")[:_MINUTE_LENGTH]
    try:
        local = datetime.fromisoformat(written)
    except ValueError:
        return None
    return read_instant(local.replace(tzinfo=zone).isoformat()) if local.tzinfo is None else None


def _place(document: dict[str, Any], name: str, value: Any) -> None:
    if name.startswith(FACT_PREFIX):
        document.setdefault("facts", {})[name.removeprefix(FACT_PREFIX)] = value
    elif name in COMPLAINANT_FIELDS:
        document["complainant"][name] = value
    else:
        document[name] = value


def _cleaned(text: str) -> str:
    return sanitised_text(text.replace("\r\n", "\n")).strip()
