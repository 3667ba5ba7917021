"""The fields of a form, and what each may print."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from shared.contracts.base import StrictModel

CASE_FIELDS = (
    *("number", "status", "kind", "class", "subject", "department", "cooperating", "handler", "agreed_date"),
    *("source", "external_id", "received_at", "registered_at", "channel", "title", "text", "object", "demand", "place", "product"),
    *("against", "happened_at", "attachments", "missing"),
)
"""Values of the case and its complaint for fields, beside `complainant.*`, `facts.*`, `parameters.*` and `<event>.*`."""
COMPLAINANT_FIELDS = ("kind", "anonymous", "name", "phone", "identity", "enterprise", "household")
"""Fields of the complainant that events publish; e-mail, address and document number stay sealed, so no form can print them."""
PERIOD_FIELDS = ("period", "cases", "open", "closed")
"""Values for fields of a form of a period: the period, and how many cases it has, by their state."""
EVENT_ROW_FIELDS = ("event", "at", "actor", "role")
"""Columns that every event has, beside its own fields."""
CLOSED_VALUES = ("kind", "class", "channel", "complainant.kind", "complainant.anonymous", "status")
"""Fields, beside facts of the type bool and CLOSED_EVENT_VALUES, whose values are known, so that the form prints a box for each of them."""
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
