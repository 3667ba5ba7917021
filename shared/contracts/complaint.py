"""A complaint as it is submitted, and as it travels: contact data sealed, the complainant masked."""

from typing import Any, Literal

from pydantic import Field, model_validator

from shared.contracts.base import Contract, Id, Instant, Line, Strict, Text

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
Family = Literal["oral", "written", "public", "official"]
Kind = Literal["complaint", "demand", "risk", "warning"]
ComplainantKind = Literal["customer", "employee", "partner", "agent"]
FactValue = bool | int | float | Instant | Text

FAMILIES: dict[str, Family] = {
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
"""Channel → the family that rules may read as `complaint.channel_family`."""


class Complainant(Strict):
    """Who complains; every field may be missing, `anonymous` is possible for any kind."""

    kind: ComplainantKind = "customer"
    anonymous: bool = False
    name: Line | None = None
    phone: Line | None = None
    email: Line | None = None
    address: Line | None = None
    identity: Line | None = None
    enterprise: Line | None = None
    household: Line | None = None


class ComplaintFields(Strict):
    """The fields of a complaint that do not depend on who complains."""

    received_at: Instant
    registered_at: Instant | None = None
    channel: Channel = "hotline"
    kind: Kind | None = None
    title: Line | None = None
    text: Text = Field(min_length=1)
    object: Line | None = None
    demand: Text | None = None
    place: Line | None = None
    product: Line | None = None
    against: list[Line] = Field(default_factory=list, max_length=50)
    happened_at: Instant | None = None
    facts: dict[Id, FactValue] = Field(default_factory=dict, max_length=200)
    attachments: list[Line] = Field(default_factory=list, max_length=100)


class Submission(ComplaintFields):
    """What arrives at intake: a complaint with contact data in the clear, from a source, under the source's own reference."""

    source: Id | None = None
    external_id: Id | None = None
    complainant: Complainant = Complainant()

    @model_validator(mode="after")
    def _text_says_something(self) -> "Submission":
        if not self.text.strip():
            raise ValueError("text is blank; say what the complaint is about")
        return self


class MaskedComplainant(Contract):
    """Who complains, as every consumer may see it: `name` as 王**, `phone` as 138****0000, the rest left out.

    `id` is a keyed hash of phone, e-mail or identity (the same complainant has the same id at the same organisation); None if unknown.
    `has` lists the fields that were given.
    """

    kind: ComplainantKind = "customer"
    anonymous: bool = False
    name: Line | None = None
    phone: Line | None = None
    id: Line | None = None
    identity: Line | None = None
    enterprise: Line | None = None
    household: Line | None = None
    has: list[Line] = Field(default_factory=list)


class Complaint(Contract):
    """A registered complaint as it travels between services; `contact` is the sealed `Complainant`, opened by notify alone."""

    case: Id
    number: Line
    source: Id
    external_id: Id | None = None
    received_at: Instant
    registered_at: Instant
    channel: Channel
    kind: Kind | None = None
    title: Line | None = None
    text: Text
    object: Line | None = None
    demand: Text | None = None
    place: Line | None = None
    product: Line | None = None
    against: list[Line] = Field(default_factory=list)
    happened_at: Instant | None = None
    facts: dict[str, Any] = Field(default_factory=dict)
    attachments: list[Line] = Field(default_factory=list)
    complainant: MaskedComplainant = MaskedComplainant()
    contact: str | None = Field(default=None, description="Complainant sealed with AES-GCM, associated data = case id")
    missing: list[Line] = Field(default_factory=list, description="Fields that the procedure requires and the submission lacked")
