"""Events of what is found, imposed, paid, agreed, published and talked over on a case: fields of their own instead of free text."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from shared.contracts.base import Instant, ShortText
from shared.contracts.events.base import ActionEvent

Sanction = Literal["", "warning", "reprimand", "fine", "demotion", "dismissal", "other"]
CompensationKind = Literal["", "cash", "waived_fees", "refund", "replacement", "other"]
MONEY_COMPENSATIONS = frozenset({"cash", "waived_fees", "refund"})
"""Kinds of compensation that have an amount."""
Concealment = Literal["", "refusal", "concealment", "late_report", "evasion", "absence"]
CallResult = Literal["", "reached", "unreachable", "busy", "message_left", "declined"]


def _require_cents(amount: float) -> float:
    if round(amount, 2) != amount:
        raise PydanticCustomError("yuan", "send yuan with at most two decimals")
    return abs(amount)


# JSON has no decimals; with two places and this bound a float holds every amount exactly enough to be written as it was read.
Yuan = Annotated[float, Field(strict=True, ge=0, le=1_000_000_000, allow_inf_nan=False), AfterValidator(_require_cents)]
"""An amount from outside: 0 to 1,000,000,000 yuan with at most two decimals."""


class CauseRecorded(ActionEvent):
    """A cause of the complaint was found; `cause` is its category, `text` the account."""

    name = "cause_recorded"

    cause: ShortText = ""


class LiabilityRecorded(ActionEvent):
    """The persons and units liable were found: ids, or names of those outside the organisation."""

    name = "liability_recorded"

    persons: list[ShortText] = Field(default_factory=list)
    units: list[ShortText] = Field(default_factory=list)


class SanctionRecorded(ActionEvent):
    """A penalty or warning was imposed on persons or units; `amount` is that of a fine or another one in money, in yuan."""

    name = "sanction_recorded"

    sanction: Sanction = ""
    persons: list[ShortText] = Field(default_factory=list)
    units: list[ShortText] = Field(default_factory=list)
    amount: float | None = None


class CompensationEvent(ActionEvent):
    """A step of a compensation; `household` distinguishes several compensations of one case."""

    compensation: CompensationKind = ""
    amount: float | None = None
    household: ShortText = ""


class CompensationProposed(CompensationEvent):
    """A compensation was proposed."""

    name = "compensation_proposed"


class CompensationApproved(CompensationEvent):
    """The proposed compensation was approved; `amount` is what was approved."""

    name = "compensation_approved"


class CompensationRefused(CompensationEvent):
    """The proposed compensation was not approved."""

    name = "compensation_refused"


class CompensationPaid(CompensationEvent):
    """An approved compensation was paid, or the fees were waived, in whole or in part."""

    name = "compensation_paid"


# country-garden 3.2: talks are over once more than half of the residents have agreed, recorded resident by resident.
class AgreementRecorded(ActionEvent):
    """A resident agreed to the solution or did not; the latest of each household counts."""

    name = "agreement_recorded"

    household: ShortText = ""
    agreed: bool = False


class ConcealmentReported(ActionEvent):
    """A refusal, concealment, late report, evasion or absence was reported; those named hear nothing of this report."""

    name = "concealment_reported"

    concealment: Concealment = ""
    persons: list[ShortText] = Field(default_factory=list)
    units: list[ShortText] = Field(default_factory=list)


class NoticeEvent(ActionEvent):
    """A step of a public notice; `notice` distinguishes several notices of one case."""

    notice: ShortText = ""


class NoticeDrafted(NoticeEvent):
    """A public notice was drafted; `text` is its wording."""

    name = "notice_drafted"


class NoticeApproved(NoticeEvent):
    """The drafted notice was approved."""

    name = "notice_approved"


class NoticeRejected(NoticeEvent):
    """The drafted notice was not approved."""

    name = "notice_rejected"


class NoticePublished(NoticeEvent):
    """The notice was published at `place`."""

    name = "notice_published"

    place: ShortText = ""


class NoticeConfirmed(NoticeEvent):
    """The published notice was shown to be there, by the photographs or links in `attachments`."""

    name = "notice_confirmed"

    place: ShortText = ""


# greentown-qd1001 4.6: on urgent complaints the executive and the owner are told and chased by phone.
class CallRecorded(ActionEvent):
    """A phone call was made: by `caller` to the holder of a role, a department or a person (`to`), or to somebody else (`person`)."""

    name = "call_recorded"

    caller: ShortText = ""
    to: ShortText = ""
    person: ShortText = ""
    happened_at: Instant | None = None
    result: CallResult = ""


class MeetingRecorded(ActionEvent):
    """A meeting was held; `persons` and `units` took part, `absentees` are those who should have."""

    name = "meeting_recorded"

    happened_at: Instant | None = None
    place: ShortText = ""
    persons: list[ShortText] = Field(default_factory=list)
    units: list[ShortText] = Field(default_factory=list)
    absentees: list[ShortText] = Field(default_factory=list)
