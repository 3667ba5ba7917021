"""The layout of a form: sections of fields, tables over events or cases, and signature blocks; filled from the events of cases."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from shared.contracts.base import StrictModel
from shared.procedures.model.effects import RoleNames, role_tuple
from shared.procedures.model.timed_entries import TitledEntry

CASE_FIELDS = (
    *("number", "status", "kind", "class", "subject", "department", "cooperating", "handler", "agreed_date"),
    *("source", "external_id", "received_at", "registered_at", "channel", "title", "text", "object", "demand", "place", "product"),
    *("against", "happened_at", "attachments", "missing"),
)
"""What a field may print of the case and its complaint, beside `complainant.*`, `facts.*`, `parameters.*` and `<event>.*`."""
COMPLAINANT_FIELDS = ("kind", "anonymous", "name", "phone", "identity", "enterprise", "household")
"""Fields of the complainant that events publish; e-mail, address and document number stay sealed, so no form can print them."""
PERIOD_FIELDS = ("period", "cases", "open", "closed")
"""What a field of a form of a period may print: the period, and how many cases it has, by their state."""
EVENT_ROW_FIELDS = ("event", "at", "actor", "role")
"""Columns that every event has, beside its own fields."""
CLOSED_VALUES = ("kind", "class", "channel", "complainant.kind", "complainant.anonymous", "called_back.outcome", "status")
"""Fields, beside facts of the type bool, whose values are known, so that the form prints a box for each of them."""
FieldDisplay = Literal["text", "boxes", "photos"]


class FormLabel(StrictModel):
    """A label in both languages."""

    zh: str = ""
    en: str = ""


class FormField(FormLabel):
    """A field of a form. Of several paths under `value`, the first that has a value is printed.

    A path is a field of the case (`number`, `complainant.name`, `facts.urgent`, `parameters.limit`) or of the latest event of a type
    (`measures_submitted.text`, `called_back.at`). Without a label, the field's own name is printed.
    """

    value: str | list[str]
    wide: bool = Field(default=False, description="over the whole width of the page")
    first: bool = Field(default=False, description="of several events of the type, the first instead of the latest")
    lines: int = Field(default=1, ge=1, le=20, description="lines that the field takes at least")
    show: FieldDisplay = Field(default="text", description="boxes: one box for each possible value; photos: a frame for each reference")

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths, in order of preference."""
        return (self.value,) if isinstance(self.value, str) else tuple(self.value)


def _field_tag(value: Any) -> str:
    return "path" if isinstance(value, str) else "field"


AnyFormField = Annotated[Annotated[str, Tag("path")] | Annotated[FormField, Tag("field")], Discriminator(_field_tag)]
"""A field, or its path alone."""


def expand_field(field: AnyFormField) -> FormField:
    """The field as a model; a path is short for `{value: path}`."""
    return FormField(value=field) if isinstance(field, str) else field


class FormTable(FormLabel):
    """A table: a row for each of the `events` of the case, for each case of the period (`cases`), or for each value of `count_by`."""

    events: list[str] = Field(default_factory=list)
    cases: bool = False
    count_by: str = Field(default="", description="a field of the case; rows are its values with the number of cases of the period")
    columns: list[AnyFormField] = Field(default_factory=list, description="fields of the event or of the case")
    blank_rows: int = Field(default=1, ge=0, le=40, description="rows that the table has at least")

    @property
    def expanded_columns(self) -> list[FormField]:
        """The columns as models."""
        return [expand_field(column) for column in self.columns]


class FormSignature(FormLabel):
    """A signature block: the latest of `events` by one of the roles in `by` (none: any) signs it; blank until then."""

    events: list[str] = Field(default_factory=list, description="none: only a form of a period, which people sign on paper")
    by: RoleNames | None = None

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that may sign; none: any."""
        return role_tuple(self.by) if self.by else ()


class FormSection(FormLabel):
    """A part of a form; what happened before the latest of the events in `after` is not printed in it.

    An approval of rejected or replaced measures must not be read as the approval of the new ones.
    """

    fields: list[AnyFormField] = Field(default_factory=list)
    table: FormTable | None = None
    signatures: list[FormSignature] = Field(default_factory=list)
    after: list[str] = Field(default_factory=list)

    @property
    def expanded_fields(self) -> list[FormField]:
        """The fields as models."""
        return [expand_field(field) for field in self.fields]


class FormEntry(TitledEntry):
    """A form of the regulation: its layout, filled from the events of a case, or of the cases of a period."""

    opens: str = "registered"
    per: Literal["case", "month", "year"] = Field(default="case", description="what one form is about: a case, or the cases of a period")
    code: str = Field(default="", description="the form's number in the regulation, printed at its head")
    copies: list[FormLabel] = Field(default_factory=list, description="for whom each copy is, in order")
    notes: list[FormLabel] = Field(default_factory=list, description="remarks at the foot of the form")
    sections: list[FormSection] = Field(default_factory=list)

    @property
    def signatures(self) -> Iterator[tuple[FormSection, FormSignature]]:
        """The signature blocks with their sections."""
        return ((section, signature) for section in self.sections for signature in section.signatures)

    @property
    def signed_by(self) -> tuple[str, ...]:
        """The roles that sign, each once, in the order of the blocks."""
        return tuple(dict.fromkeys(role for _, signature in self.signatures for role in signature.roles))
