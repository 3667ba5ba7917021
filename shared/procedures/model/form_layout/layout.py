"""The layout of a form: sections of fields, tables over events or cases, and signature blocks; filled from the events of cases."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from shared.procedures.model.effects import RoleNames, role_tuple
from shared.procedures.model.form_layout.fields import AnyFormField, FormField, FormLabel, expand_field
from shared.procedures.model.timed_entries import TitledEntry


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
