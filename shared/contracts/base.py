"""Base classes and field types of all contract models."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Instant = AwareDatetime
LongText = Annotated[str, Field(max_length=20_000)]
ShortText = Annotated[str, Field(max_length=500)]
Identifier = Annotated[str, Field(max_length=200, min_length=1)]


class WireModel(BaseModel):
    """A message on a topic: unknown fields are ignored, so that a newer producer does not break an older consumer."""

    model_config = ConfigDict(extra="ignore", frozen=True, ser_json_timedelta="iso8601", populate_by_name=True)


class StrictModel(BaseModel):
    """Input from outside (JSON or YAML): an unknown field is an error, so that a misspelt one is reported."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
