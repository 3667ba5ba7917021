"""Base classes and field types of all contract models."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from shared.contracts.instants import require_date_time_text, require_possible_instant
from shared.contracts.json_text import require_bounded_object, require_single_line, without_nul

Instant = AwareDatetime
InputInstant = Annotated[AwareDatetime, BeforeValidator(require_date_time_text), AfterValidator(require_possible_instant)]
"""An instant from outside: ISO 8601 text with offset, 2000 to 2099. Events have `Instant`, so that what is published can be read."""
LongText = Annotated[str, Field(max_length=20_000)]
ShortText = Annotated[str, Field(max_length=500)]
InputText = Annotated[LongText, AfterValidator(without_nul)]
"""A person's words from outside: PostgreSQL stores no NUL, and a text that another service refuses would be lost to it."""
ShortInputText = Annotated[ShortText, AfterValidator(without_nul)]
InputName = Annotated[ShortText, AfterValidator(require_single_line)]
"""An id, role or duration from outside, which may become a parameter of a statement: PostgreSQL stores no NUL."""
InputCategory = Annotated[str, Field(max_length=100), AfterValidator(require_single_line)]
"""A category from outside, by which figures count."""
Identifier = Annotated[str, Field(max_length=200, min_length=1)]
CASE_ID_PATTERN = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
"""The form of a case's id, the key of its records."""
InputObject = Annotated[dict[Identifier, Any], AfterValidator(require_bounded_object)]
"""An object of any JSON values from outside, bounded in depth, size and numbers."""


class WireModel(BaseModel):
    """A message on a topic: unknown fields are ignored, so that a newer producer does not break an older consumer."""

    model_config = ConfigDict(extra="ignore", frozen=True, ser_json_timedelta="iso8601", populate_by_name=True)


class StrictModel(BaseModel):
    """Input from outside (JSON or YAML): an unknown field is an error, so that a misspelt one is reported."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
