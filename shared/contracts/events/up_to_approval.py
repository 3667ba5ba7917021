"""Events of actions up to the approval of measures."""

from pydantic import Field

from shared.contracts.base import Instant, LongText, ShortText
from shared.contracts.events.base import ActionEvent, DueClock, JsonObject, ReportEvent


class Amended(ActionEvent):
    """Facts or fields of the complaint were corrected; its class and its clocks are determined again."""

    name = "amended"

    facts: JsonObject = Field(default_factory=dict)
    fields: JsonObject = Field(default_factory=dict)


class Accepted(ActionEvent):
    """The complaint was accepted for handling."""

    name = "accepted"


class Refused(ActionEvent):
    """The complaint was refused, which ends the case."""

    name = "refused"


class Returned(ActionEvent):
    """The department returned the case because it is not responsible."""

    name = "returned"


class Reassigned(ActionEvent):
    """The responsibility moved to another department."""

    name = "reassigned"

    department: ShortText = ""
    cooperating: list[ShortText] = Field(default_factory=list)
    complaint: JsonObject = Field(default_factory=dict, description="on department topics only: the complaint, redacted")
    clocks: list[DueClock] = Field(default_factory=list, description="on department topics only: the running clocks and when they are due")


class Assigned(ActionEvent):
    """A handler was assigned."""

    name = "assigned"

    person: ShortText = ""
    to_role: ShortText = ""


class Signed(ActionEvent):
    """The department signed for the receipt of the handling sheet."""

    name = "signed"


class Contacted(ActionEvent):
    """The customer was contacted or the site visited; `person` is the contact person that the customer was given."""

    name = "contacted"

    # country-garden 3.1: a contact that names nobody is no response.
    person: ShortText = ""


class Surveyed(ReportEvent):
    """The site was surveyed."""

    name = "surveyed"


class HandedOver(ReportEvent):
    """The case was handed over to another department or role."""

    name = "handed_over"

    to: ShortText = ""


# realestate-engineering 4.4.2: whoever is asked first owns the case until another has taken it over.
class TakenOver(ActionEvent):
    """Another department or role took the case over, which ends the ownership of the first-asked person."""

    name = "taken_over"

    to: ShortText = ""


class FirstAnswered(ActionEvent):
    """The complainant received the first answer."""

    name = "first_answered"

    next_date: Instant | None = None


class Answered(ActionEvent):
    """The complainant received a later answer."""

    name = "answered"

    next_date: Instant | None = None


# A person's act: the system's own notice does not stop the clock of greentown-qd1001 4.3.1.
class Reported(ReportEvent):
    """The report sheet reached the executive."""

    name = "reported"

    to: ShortText = ""


class Instructed(ActionEvent):
    """The executive gave an instruction."""

    name = "instructed"


class MeasuresSubmitted(ActionEvent):
    """Measures were submitted; with `needs_sign_off` they count from their sign-off."""

    name = "measures_submitted"

    # greentown-qd1001 4.5.2: what a handler drew up counts only with the owner's own signature.
    needs_sign_off: bool = False


class MeasuresSignedOff(ActionEvent):
    """Measures that a handler submitted were signed off: they count as submitted from now on."""

    name = "measures_signed_off"


class MeasuresApproved(ActionEvent):
    """Measures were approved; `demands` is empty for an approval without further demands."""

    name = "measures_approved"

    demands: LongText = ""


class MeasuresRejected(ActionEvent):
    """Measures were rejected; new ones have to be submitted."""

    name = "measures_rejected"

    demands: LongText = ""


class MeasuresDeemedApproved(ActionEvent):
    """Measures count as approved because the time for the decision expired."""

    name = "measures_deemed_approved"

    clock: ShortText = ""
    round: int = 0
    due_at: Instant | None = None


class ReviewRequested(ActionEvent):
    """An internal review of the solution was requested."""

    name = "review_requested"


class ReviewPassed(ActionEvent):
    """The solution passed the internal review."""

    name = "review_passed"


class ReviewRejected(ActionEvent):
    """The solution did not pass the internal review."""

    name = "review_rejected"
