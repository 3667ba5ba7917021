"""A complaint as submitted, and as published: with the complainant masked and the contact data sealed."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from shared.contracts.base import Identifier, Instant, LongText, ShortText, StrictModel, WireModel

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
ComplaintKind = Literal["complaint", "demand", "risk", "warning"]
ComplainantKind = Literal["customer", "employee", "partner", "agent"]
FactValue = bool | int | float | Instant | LongText

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


class Complainant(StrictModel):
    """The person who complains; every field is optional, and a complainant of any kind may be anonymous."""

    kind: ComplainantKind = "customer"
    anonymous: bool = False
    name: ShortText | None = None
    phone: ShortText | None = None
    email: ShortText | None = None
    address: ShortText | None = None
    identity: ShortText | None = None
    enterprise: ShortText | None = None
    household: ShortText | None = None


class ComplaintFields(StrictModel):
    """The fields of a complaint other than the complainant."""

    received_at: Instant
    registered_at: Instant | None = None
    channel: Channel = "hotline"
    kind: ComplaintKind | None = None
    title: ShortText | None = None
    text: LongText = Field(min_length=1)
    object: ShortText | None = None
    demand: LongText | None = None
    place: ShortText | None = None
    product: ShortText | None = None
    against: list[ShortText] = Field(default_factory=list, max_length=50)
    happened_at: Instant | None = None
    facts: dict[Identifier, FactValue] = Field(default_factory=dict, max_length=200)
    attachments: list[ShortText] = Field(default_factory=list, max_length=100)


class Submission(ComplaintFields):
    """A complaint as it arrives at intake, with contact data in plain text; `external_id` is the source's own reference."""

    source: Identifier | None = None
    external_id: Identifier | None = None
    complainant: Complainant = Complainant()

    @model_validator(mode="after")
    def _text_is_not_blank(self) -> Self:
        if not self.text.strip():
            raise ValueError("text is blank; describe what the complaint is about")
        return self


class MaskedComplainant(WireModel):
    """The complainant without contact data, as every consumer receives it: `name` as 王**, `phone` as 138****0000.

    `id` is a keyed hash of phone, e-mail or identity (the same complainant has the same id in one organisation); None if unknown.
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
    contact: str | None = Field(default=None, description="Complainant sealed with AES-GCM, associated data = case id")
    missing: list[ShortText] = Field(default_factory=list, description="Fields that the procedure requires and the submission lacks")
