"""Events from the start of work to the end of a case, each caused by an accepted action."""

from typing import Literal

from pydantic import Field

from shared.contracts.base import Instant, ShortText
from shared.contracts.events.base import ActionEvent, CallBackOutcome, JsonObject


class WorkStarted(ActionEvent):
    """Work on the matter began."""

    name = "work_started"


class ProgressReported(ActionEvent):
    """Progress was reported."""

    name = "progress_reported"

    to: ShortText = ""


class Handled(ActionEvent):
    """The matter was handled."""

    name = "handled"


class Verified(ActionEvent):
    """The result was verified."""

    name = "verified"


class VerificationFailed(ActionEvent):
    """The result did not pass verification."""

    name = "verification_failed"


class FollowedUp(ActionEvent):
    """The case was followed up."""

    name = "followed_up"


class CalledBack(ActionEvent):
    """The complainant was called back."""

    name = "called_back"

    outcome: CallBackOutcome = ""


class ExtensionRequested(ActionEvent):
    """More time was asked for."""

    name = "extension_requested"

    clock: ShortText = ""
    extend_by: ShortText = ""
    until: Instant | None = None


class ExtensionGranted(ActionEvent):
    """More time was granted."""

    name = "extension_granted"

    clock: ShortText = ""
    extend_by: ShortText = ""
    until: Instant | None = None


class ExtensionRefused(ActionEvent):
    """More time was refused."""

    name = "extension_refused"

    clock: ShortText = ""


class DateAgreed(ActionEvent):
    """A date was agreed with the customer."""

    name = "date_agreed"

    date: Instant | None = None


class Suspended(ActionEvent):
    """Handling was suspended for a reason of the procedure's list."""

    name = "suspended"


class Resumed(ActionEvent):
    """Handling goes on."""

    name = "resumed"


class Linked(ActionEvent):
    """The case was linked to another one."""

    name = "linked"

    to_case: ShortText = ""
    kind_of_link: Literal["", "duplicate", "group", "repeat", "same_event"] = Field(default="", alias="as")
    group: ShortText = ""


class Unlinked(ActionEvent):
    """A link was taken away."""

    name = "unlinked"

    to_case: ShortText = ""


class Objected(ActionEvent):
    """A unit disputes its responsibility."""

    name = "objected"


class Ruled(ActionEvent):
    """A dispute over responsibility was decided."""

    name = "ruled"


class EscalationAcknowledged(ActionEvent):
    """Somebody took the escalation up; ends the ladder."""

    name = "escalation_acknowledged"


class Withdrawn(ActionEvent):
    """The complainant withdrew; ends the case."""

    name = "withdrawn"


class Closed(ActionEvent):
    """The case was closed."""

    name = "closed"


class Reopened(ActionEvent):
    """The closed case was opened again."""

    name = "reopened"


class Evaluated(ActionEvent):
    """The finished case was evaluated."""

    name = "evaluated"

    figures: JsonObject = Field(default_factory=dict)


class ActionRefused(ActionEvent):
    """An action was refused: the state does not change, the ledger does."""

    name = "action_refused"

    action: ShortText = ""
    department: ShortText = ""
    data: JsonObject = Field(default_factory=dict)
    late: bool = False
