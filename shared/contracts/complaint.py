"""A complaint as submitted, and as published: with the complainant masked and the contact data sealed."""

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, Strict, model_validator
from pydantic_core import PydanticCustomError

from shared.contracts.base import Identifier, InputInstant, InputObject, Instant, LongText, ShortText, StrictModel, WireModel
from shared.contracts.instants import RANGE_REMEDY, read_instant
from shared.contracts.json_text import MAX_INT64

Channel = Literal[
    "hotline",
    "visit",
    "letter",
    "fax",
    "email",
    "web",
    "online_service",
    "message_board",
    "sms",
    "app",
    "box",
    "media",
    "regulator",
    "internal",
]
ChannelFamily = Literal["oral", "written", "public", "official"]
# A demand is told apart from a complaint by group-complaint-demand 4.1.1, risk and warning by country-garden 3.3 to 3.5.
ComplaintKind = Literal["complaint", "demand", "risk", "warning"]
# Employees complain under grievance-system, agents and franchisees under channel-partners 1.
ComplainantKind = Literal["customer", "employee", "partner", "agent"]
FactInteger = Annotated[int, Field(ge=-MAX_INT64 - 1, le=MAX_INT64)]
FactNumber = Annotated[float, Field(allow_inf_nan=False)]
# Strict: pydantic would read the number 20261109 as a date, and take NaN for the date that follows in the union.
FactDate = Annotated[date, Strict()]
FactValue = bool | FactInteger | FactNumber | InputInstant | FactDate | LongText

CHANNEL_FAMILIES: dict[str, ChannelFamily] = {
    "hotline": "oral",
    "visit": "oral",
    "letter": "written",
    "fax": "written",
    "email": "written",
    "web": "written",
    "online_service": "written",
    "message_board": "public",
    "sms": "written",
    "app": "written",
    "box": "written",
    "media": "public",
    "regulator": "official",
    "internal": "official",
}
"""Channel → its family, which rules read as `complaint.channel_family`."""

UNREADABLE = "Fields that could not be read, were cut, or are facts that the procedure does not declare"


class Complainant(StrictModel):
    """The person who complains; every field is optional, and a complainant of any kind may be anonymous."""

    kind: ComplainantKind = "customer"
    anonymous: bool = False
    name: ShortText | None = None
    phone: ShortText | None = None
    email: ShortText | None = None
    address: ShortText | None = None
    identity: ShortText | None = Field(default=None, description="lawyer, deputy, resident, …; never a key to a person")
    id_number: ShortText | None = Field(default=None, description="number of an identity document; sealed like the contact data")
    enterprise: ShortText | None = None
    household: ShortText | None = None


class ComplaintFields(StrictModel):
    """The fields of a complaint other than the complainant."""

    received_at: InputInstant
    registered_at: InputInstant | None = None
    channel: Channel = "hotline"
    kind: ComplaintKind | None = None
    title: ShortText | None = None
    text: LongText = Field(min_length=1)
    object: ShortText | None = None
    demand: LongText | None = None
    place: ShortText | None = None
    product: ShortText | None = None
    against: list[ShortText] = Field(default_factory=list, max_length=50)
    happened_at: InputInstant | None = None
    facts: dict[Identifier, FactValue] = Field(default_factory=dict, max_length=200)
    attachments: list[ShortText] = Field(default_factory=list, max_length=100)


def _require_instants(fields: dict[str, Any]) -> dict[str, Any]:
    for name in ("received_at", "registered_at", "happened_at"):
        if fields.get(name) is not None and read_instant(fields[name]) is None:
            raise PydanticCustomError("instant_out_of_range", RANGE_REMEDY)
    return fields


AmendedFields = Annotated[InputObject, AfterValidator(_require_instants)]
"""Fields of a complaint that an action amends; null takes a value away."""


class Submission(ComplaintFields):
    """A complaint as it arrives at intake, with contact data in plain text; `external_id` is the source's own reference."""

    source: Identifier | None = None
    external_id: Identifier | None = None
    entered_by: Identifier | None = Field(default=None, description="the person who entered it by hand, one whom the source may name")
    complainant: Complainant = Complainant()

    @model_validator(mode="after")
    def _text_is_not_blank(self) -> Self:
        if not self.text.strip():
            raise ValueError("text is blank; describe what the complaint is about")
        return self


class MaskedComplainant(WireModel):
    """The complainant without contact data, as every consumer receives it: `name` as 王**, `phone` as 138****0000.

    `id` is the first of the registration's `complainant_keys`, None without any: the person's other keys stand only there.
    `has` lists the fields that the submission contains.
    """

    kind: ComplainantKind = "customer"
    anonymous: bool = False
    name: ShortText | None = None
    phone: ShortText | None = None
    id: ShortText | None = None
    identity: ShortText | None = None
    enterprise: ShortText | None = None
    household: ShortText | None = None
    has: list[ShortText] = Field(default_factory=list)


def supplemented_text(text: str, supplement: str) -> str:
    """The text of a complaint with a supplement, a blank line between; the oldest part is kept where both are too long."""
    # One line break inside Chinese is read as none: «没有漏水» and «电梯停运» would become one sentence.
    return f"{text}\n\n{supplement}".strip()[:20_000]


class Complaint(WireModel):
    """A registered complaint as services exchange it; `contact` is the sealed `Complainant`, which only notify decrypts."""

    case: Identifier
    number: ShortText
    source: Identifier
    external_id: Identifier | None = None
    received_at: Instant
    registered_at: Instant
    channel: Channel
    kind: ComplaintKind | None = None
    title: ShortText | None = None
    text: LongText
    object: ShortText | None = None
    demand: LongText | None = None
    place: ShortText | None = None
    product: ShortText | None = None
    against: list[ShortText] = Field(default_factory=list)
    happened_at: Instant | None = None
    facts: dict[str, Any] = Field(default_factory=dict)
    attachments: list[ShortText] = Field(default_factory=list)
    complainant: MaskedComplainant = MaskedComplainant()
    entered_by: ShortText | None = Field(default=None, description="Person who entered the complaint by hand")
    contact: str | None = Field(default=None, description="Complainant sealed with AES-GCM, associated data = case id")
    missing: list[ShortText] = Field(default_factory=list, description="Fields that the procedure requires and the submission lacks")
    unreadable: list[ShortText] = Field(default_factory=list, description=UNREADABLE)
