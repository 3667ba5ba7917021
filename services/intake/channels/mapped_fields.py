"""Makes the document of a submission from values by field name, which maps of files and webhooks find."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from services.intake.channels.written_dates import DateRules, UnreadableDateError, read_epoch, read_written_instant
from services.intake.domain.plain_text import sanitised
from services.intake.domain.submission_faults import SubmissionFault
from shared.procedures.source_formats.fields import INSTANT_FIELDS, KEY_FIELDS, LIST_FIELDS, FieldRules

# What a spreadsheet shows and saves for a long number in a narrow column: the last digits are gone.
_ROUNDED = re.compile(r"[+-]?\d(?:[.,]\d+)?[eE][+-]?\d{1,3}", re.ASCII)
_SEPARATORS = re.compile(r"[;；、\n]+")
_EXACT_DIGITS = 10**15
"""A double has 15 to 17 digits: an identity number of 18 in a number cell has lost its last ones."""
_REQUIRED = ("text", "received_at")


@dataclass(frozen=True, slots=True)
class MappedDocument:
    """A submission's document; `faults` refuse it, `unreadable` names optional fields that were kept out."""

    document: dict[str, Any]
    unreadable: tuple[str, ...] = ()
    faults: tuple[SubmissionFault, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether no field has a value, fixed ones aside."""
        return not self.document and not self.faults and not self.unreadable


class FieldMapper:
    """Applies the rules of a map; `zone` holds where the map names none, `times` are fields with instants since 1970."""

    def __init__(self, rules: FieldRules, zone: tzinfo, times: Mapping[str, str] | None = None) -> None:
        self._rules = rules
        self._times = times or {}
        self._dates = DateRules(ZoneInfo(rules.zone) if rules.zone else zone, rules.date_order, time.fromisoformat(rules.time_of_day))

    def document(self, values: Mapping[str, Any]) -> MappedDocument:
        """The document of values by field; absent ones are left out, then the map's fixed values fill in."""
        fields: dict[str, Any] = {}
        unreadable: list[str] = []
        faults: list[SubmissionFault] = []
        for name, raw in values.items():
            value = raw.strip() if isinstance(raw, str) else raw
            if value is None or value in ("", []):
                continue
            try:
                fields[name] = self._value(name, value)
            except UnreadableDateError as error:
                if name in _REQUIRED:
                    faults.append(SubmissionFault(name, error.rule, error.remedy))
                else:
                    unreadable.append(name)
            except ValueError:
                # Under a rounded reference different complaints would be one case; a rounded phone number is another person's.
                if name == "external_id":
                    faults.append(SubmissionFault(name, "number_rounded", "format the column as text and export the file again"))
                else:
                    unreadable.append(name)
        if fields or faults or unreadable:
            fields = self._rules.values | fields
        return MappedDocument(_nested(sanitised(fields)), tuple(unreadable), tuple(faults))

    def _value(self, name: str, value: Any) -> Any:
        """The value as a submission has it; raises `UnreadableDateError`, and `ValueError` for a rounded number."""
        if name in INSTANT_FIELDS:
            return self._instant(name, value).isoformat()
        if name in LIST_FIELDS:
            items = _SEPARATORS.split(value) if isinstance(value, str) else value if isinstance(value, list) else [value]
            return [text for item in items if (text := str(_text(item)).strip())]
        if name in KEY_FIELDS and _is_rounded(value):
            raise ValueError("a rounded number")
        if name.startswith("facts.") and isinstance(value, date):
            return self._fact_date(value)
        text = _text(value)
        translations = self._rules.translate.get(name, {})
        if isinstance(text, str) and text.strip() in translations:
            return translations[text.strip()]
        return value if name.startswith("facts.") or name == "complainant.anonymous" else text

    def _fact_date(self, value: date) -> str:
        """A cell with a date in it: a fact is a date, or an instant in the zone of the map."""
        if not isinstance(value, datetime):
            return value.isoformat()
        return value.replace(tzinfo=self._dates.zone).isoformat() if value.time() != time() else value.date().isoformat()

    def _instant(self, name: str, value: Any) -> datetime:
        form = self._times.get(name, "written")
        return read_written_instant(value, self._dates) if form == "written" else read_epoch(value, milliseconds=form == "unix_ms")


def _text(value: Any) -> Any:
    """Convert a cell or JSON value to text. Spreadsheets store numbers as doubles: 13800000000.0 becomes 13800000000."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**63 else repr(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    # A list or an object stays what it is: the reader of submissions names the field as one that is no text.
    return value if isinstance(value, str | list | dict) else str(value)


def _is_rounded(value: Any) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return isinstance(value, float) and (not value.is_integer() or abs(value) >= _EXACT_DIGITS)
    return isinstance(value, str) and _ROUNDED.fullmatch(unicodedata.normalize("NFKC", value)) is not None


def _nested(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`complainant.phone` as a member of the object `complainant`."""
    document: dict[str, Any] = {}
    for name, value in fields.items():
        root, _, member = name.partition(".")
        if member:
            document.setdefault(root, {})[member] = value
        else:
            document[root] = value
    return document
