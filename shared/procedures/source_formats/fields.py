"""Names of a submission's fields as maps use them, and what a map may say about their values."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from shared.contracts.base import StrictModel
from shared.contracts.complaint import Complainant, Submission

INSTANT_FIELDS = frozenset({"received_at", "registered_at", "happened_at"})
LIST_FIELDS = frozenset({"against", "attachments"})
KEY_FIELDS = frozenset({"external_id", "complainant.phone", "complainant.id_number"})
"""Digits, not amounts: one that a spreadsheet has rounded is another one."""
_FACTS = "facts."
_FIELDS = sorted(
    [name for name in Submission.model_fields if name not in ("source", "complainant", "facts")]
    + [f"complainant.{name}" for name in Complainant.model_fields]
)


def _known_field(name: str) -> str:
    if name in _FIELDS or (name.startswith(_FACTS) and len(name) > len(_FACTS)):
        return name
    close = get_close_matches(name, _FIELDS, 1)
    hint = f"did you mean {close[0]}?" if close else f"fields are {', '.join(_FIELDS)} and facts.<name>"
    raise ValueError(f"{name} is not a field of a complaint; {hint}")


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name} is not a time zone; write one of the IANA database, e.g. Asia/Shanghai") from error
    return name


FieldName = Annotated[str, AfterValidator(_known_field)]
ZoneName = Annotated[str, AfterValidator(_known_zone)]


class FieldRules(StrictModel):
    """Rules for the values of a map, from whichever source format."""

    values: dict[FieldName, Any] = Field(
        default_factory=dict, description="field → fixed value; what the file or call has for the field goes before it"
    )
    translate: dict[FieldName, dict[str, Any]] = Field(
        default_factory=dict, description="field → text of the sender → value, e.g. channel: {电话: hotline}; other texts stay as they are"
    )
    date_order: Literal["dmy", "mdy"] | None = Field(
        default=None, description="order of dates with the year last (9/11/2026); none: such dates are refused as ambiguous"
    )
    time_of_day: str = Field(
        default="00:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="the time of instants that are written as a date alone"
    )
    zone: ZoneName | None = Field(default=None, description="zone of instants without an offset; none: that of the procedure's calendar")

    def require_fields(self, mapped: Iterable[str]) -> None:
        """Raise `ValueError` unless text and received_at are mapped or fixed."""
        missing = [name for name in ("received_at", "text") if name not in (*mapped, *self.values)]
        if missing:
            raise ValueError(f"nothing gives {' and '.join(missing)}, without which no complaint is accepted; map a value to it")

    @model_validator(mode="after")
    def _translations_are_of_one_value(self) -> "FieldRules":
        for name in self.translate:
            if name in INSTANT_FIELDS | LIST_FIELDS:
                raise ValueError(f"translate.{name}: only fields with one value can be translated; leave it out")
        return self
