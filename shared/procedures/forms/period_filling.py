"""Fills forms of a period (a register, monthly figures) from the events of the cases that were received in it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any

from shared.contracts.instants import read_instant
from shared.procedures.forms.case_record import CaseRecord, EventFields, case_record
from shared.procedures.forms.field_text import FormTexts
from shared.procedures.forms.filled_form import FilledForm, FilledSection, FilledSignature, FilledTable
from shared.procedures.forms.filling import blank_form, fill_field, fill_row, form_number, pad_rows
from shared.procedures.model.form_layout.fields import FormField
from shared.procedures.model.form_layout.layout import FormEntry, FormSection, FormTable


@dataclass(frozen=True, slots=True)
class FormPeriod:
    """A month, or a year if `month` is None."""

    year: int
    month: int | None = None

    @classmethod
    def parse(cls, text: str) -> "FormPeriod | None":
        """`2026` or `2026-09`; None for anything else."""
        year, dash, month = text.partition("-")
        if not (year.isascii() and year.isdigit() and len(year) == len("2026")):
            return None
        if not dash:
            return cls(int(year))
        is_month = month.isascii() and month.isdigit() and len(month) == len("09") and 1 <= int(month) <= len(_MONTHS)
        return cls(int(year), int(month)) if is_month else None

    @property
    def per(self) -> str:
        """The value of a form's `per` that fits."""
        return "year" if self.month is None else "month"

    def contains(self, instant: datetime, zone: tzinfo) -> bool:
        """Whether an instant lies in the period, by the calendar of the zone."""
        local = instant.astimezone(zone)
        return local.year == self.year and self.month in (None, local.month)

    def title(self, texts: FormTexts) -> str:
        """The period as people write it."""
        if self.month is None:
            return texts.names.choose(f"{self.year}年", str(self.year))
        return texts.names.choose(f"{self.year}年{self.month}月", f"{_MONTHS[self.month - 1]} {self.year}")

    def __str__(self) -> str:
        return str(self.year) if self.month is None else f"{self.year}-{self.month:02}"


_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


def fill_period_form(form: FormEntry, period: FormPeriod, cases: Sequence[Sequence[EventFields]], texts: FormTexts) -> FilledForm:
    """The form of a period: of `cases`, each the events of one case, those count that were received in the period."""
    records = [record for record in map(case_record, cases) if _is_in(record, period, texts.zone)]
    records.sort(key=lambda record: str(record.values.get("number", "")))
    statuses = Counter(record.values["status"] for record in records)
    values: dict[str, Any] = {"period": period.title(texts), "cases": str(len(records)), "open": str(statuses["open"])}
    values["closed"] = str(statuses["closed"])
    blank = blank_form(form, texts, form_number(form, texts, f"{texts.procedure.id}/{period}"))
    sections = tuple(_fill_section(section, values, records, texts) for section in form.sections)
    title = texts.names.choose(f"{blank.title}（{values['period']}）", f"{blank.title} ({values['period']})")
    return replace(blank, title=title, state="", sections=sections)


def _is_in(record: CaseRecord, period: FormPeriod, zone: tzinfo) -> bool:
    received_at = read_instant(record.values.get("received_at"))
    return received_at is not None and period.contains(received_at, zone)


def _fill_section(section: FormSection, values: dict[str, Any], records: Sequence[CaseRecord], texts: FormTexts) -> FilledSection:
    signatures = tuple(FilledSignature(texts.label(signature)) for signature in section.signatures)
    fields = tuple(fill_field(field, values.get, texts) for field in section.expanded_fields)
    table = None if section.table is None else _fill_table(section.table, records, texts)
    return FilledSection(texts.label(section), fields, table, signatures)


def _fill_table(table: FormTable, records: Sequence[CaseRecord], texts: FormTexts) -> FilledTable:
    if table.count_by:
        return _count_table(table, records, texts)
    columns = table.expanded_columns
    rows = [fill_row(columns, record.value, texts) for record in records]
    heads = tuple(texts.field_label(column) for column in columns)
    return FilledTable(texts.label(table), heads, pad_rows(rows, len(columns), table.blank_rows))


def _count_table(table: FormTable, records: Sequence[CaseRecord], texts: FormTexts) -> FilledTable:
    unknown, total = texts.names.choose("未定", "not set"), texts.names.choose("合计", "total")
    counts = Counter(texts.value(table.count_by, record.value(table.count_by)) or unknown for record in records)
    rows = [(name, str(count)) for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    head = texts.label(table) or texts.field_label(FormField(value=table.count_by))
    heads = head, texts.names.choose("件数", "cases")
    return FilledTable("", heads, (*pad_rows(rows, 2, table.blank_rows), (total, str(len(records)))))
