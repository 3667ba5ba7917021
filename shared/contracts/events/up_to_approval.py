"""Events from intake to approved measures, each caused by an accepted action."""

from pydantic import Field

from shared.contracts.base import Instant, LongText, ShortText
from shared.contracts.events.base import ActionEvent, JsonObject


class Amended(ActionEvent):
    """The complaint's facts or fields were corrected; classes and clocks are planned again."""

    name = "amended"

    facts: JsonObject = Field(default_factory=dict)
    fields: JsonObject = Field(default_factory=dict)


class Accepted(ActionEvent):
    """The complaint was accepted as one."""

    name = "accepted"


class Refused(ActionEvent):
    """The complaint was not accepted; ends the case."""

    name = "refused"


class Returned(ActionEvent):
    """The department objects to being responsible."""

    name = "returned"


class Reassigned(ActionEvent):
    """Another department is responsible from now on."""

    name = "reassigned"

    department: ShortText = ""
    cooperating: list[ShortText] = Field(default_factory=list)
    complaint: JsonObject = Field(default_factory=dict, description="on department topics alone: what the case is about, redacted")


class Assigned(ActionEvent):
    """A handler was named."""

    name = "assigned"

    person: ShortText = ""
    to_role: ShortText = ""


class Signed(ActionEvent):
    """The department signed for the handling sheet: its receipt."""

    name = "signed"


class Contacted(ActionEvent):
    """The customer was contacted or the site visited."""

    name = "contacted"


class Surveyed(ActionEvent):
    """The site was surveyed."""

    name = "surveyed"


class HandedOver(ActionEvent):
    """The case was offered to another unit or role."""

    name = "handed_over"

    to: ShortText = ""


class TakenOver(ActionEvent):
    """Another unit or role took the case over; ends first-asked ownership."""

    name = "taken_over"

    to: ShortText = ""


class FirstAnswered(ActionEvent):
    """The first answer to the complainant."""

    name = "first_answered"

    next_date: Instant | None = None


class Answered(ActionEvent):
    """A later answer to the complainant."""

    name = "answered"

    next_date: Instant | None = None


class Reported(ActionEvent):
    """The report sheet reached the executive."""

    name = "reported"

    to: ShortText = ""


class Instructed(ActionEvent):
    """The executive gave an instruction."""

    name = "instructed"


class MeasuresSubmitted(ActionEvent):
    """Measures were submitted; with `needs_sign_off` they count only once signed off."""

    name = "measures_submitted"

    needs_sign_off: bool = False


class MeasuresSignedOff(ActionEvent):
    """Measures drawn up by a handler were signed off: from here they count as submitted."""

    name = "measures_signed_off"


class MeasuresApproved(ActionEvent):
    """Measures were approved, perhaps with further demands."""

    name = "measures_approved"

    demands: LongText = ""


class MeasuresRejected(ActionEvent):
    """Measures were rejected and are drawn up again."""

    name = "measures_rejected"

    demands: LongText = ""


class MeasuresDeemedApproved(ActionEvent):
    """Measures count as approved because the time to decide ran out."""

    name = "measures_deemed_approved"

    clock: ShortText = ""
    round: int = 0
    due_at: Instant | None = None


class ReviewRequested(ActionEvent):
    """The internal review of the solution was asked for."""

    name = "review_requested"


class ReviewPassed(ActionEvent):
    """The internal review passed the solution."""

    name = "review_passed"


class ReviewRejected(ActionEvent):
    """The internal review rejected the solution."""

    name = "review_rejected"
