"""The web form of a source as data: its texts, and the fields that it asks for."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from shared.contracts.base import ShortText, StrictModel
from shared.contracts.complaint import Channel, ComplainantKind

FORM_FIELDS = (
    *("name", "phone", "email", "address", "identity", "enterprise", "household"),
    *("title", "text", "object", "demand", "place", "product", "against", "happened_at"),
)
"""Fields of the complainant and of the complaint that a form can ask for."""
COMPLAINANT_FIELDS = frozenset(FORM_FIELDS[:7])
FACT_PREFIX = "facts."
DEFAULT_FIELDS = ("text", "place", "happened_at", "demand", "name", "phone", "email")
_MAX_FIELDS = 40


class FormText(StrictModel):
    """A text in both languages of the page."""

    zh: ShortText
    en: ShortText


class FormChoice(FormText):
    """One answer that can be chosen, and the value that it has in the complaint."""

    value: ShortText


def _field_of_name(value: Any) -> Any:
    return {"field": value} if isinstance(value, str) else value


class WebFormField(StrictModel):
    """A field of the form: one of a complaint, or `facts.<id>`; without texts of its own it has the usual ones."""

    field: ShortText
    label: FormText | None = None
    hint: FormText | None = None
    required: bool = Field(default=False, description="asked for besides what the procedure requires")
    choices: list[FormChoice] = Field(default_factory=list, max_length=50, description="answers to choose from, instead of free text")

    @model_validator(mode="after")
    def _field_exists(self) -> "WebFormField":
        if self.field not in FORM_FIELDS and not self.field.startswith(FACT_PREFIX):
            raise ValueError(f"field {self.field}: is no field of a form; choose from {', '.join(FORM_FIELDS)} or facts.<id>")
        if self.field.startswith(FACT_PREFIX) and self.label is None:
            raise ValueError(f"field {self.field}: a fact has no usual label; write label: {{zh: …, en: …}}")
        return self


class WebForm(StrictModel):
    """A page on which people complain without an account; fields that the procedure requires are on it whether listed or not."""

    title: FormText = FormText(zh="投诉与建议", en="Make a complaint")
    intro: FormText | None = None
    thanks: FormText | None = Field(default=None, description="shown with the number; default: what happens next")
    channel: Channel = "web"
    kind: ComplainantKind = Field(default="customer", description="the kind of complainant")
    fields: list[Annotated[WebFormField, BeforeValidator(_field_of_name)]] = Field(
        default_factory=lambda: [WebFormField(field=name) for name in DEFAULT_FIELDS], max_length=_MAX_FIELDS
    )
    anonymous: bool = Field(default=True, description="whether a complainant may choose to stay anonymous")
    attachments: int = Field(default=5, ge=0, le=20, description="most files; 0: the form asks for none")
    per_minute: int = Field(default=60, ge=1, description="complaints a minute from this form in all")

    @model_validator(mode="after")
    def _fields_are_named_once(self) -> "WebForm":
        names = [field.field for field in self.fields]
        if repeated := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"fields: {repeated} stands there twice; remove one")
        return self


WebFormLanguage = Literal["zh", "en"]
