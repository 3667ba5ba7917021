"""What every contract model shares: strict fields, aware instants, JSON out."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Instant = AwareDatetime
LongText = Annotated[str, Field(max_length=20_000)]
ShortText = Annotated[str, Field(max_length=500)]
Identifier = Annotated[str, Field(max_length=200, min_length=1)]


class WireModel(BaseModel):
    """A wire model: unknown fields are ignored when read, so that a newer producer does not break an older consumer."""

    model_config = ConfigDict(extra="ignore", frozen=True, ser_json_timedelta="iso8601", populate_by_name=True)


class StrictModel(BaseModel):
    """An input model: unknown fields are an error, so that a misspelt field is found where it is made."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
