"""Events of actions from the start of work to the end of a case."""

from typing import Literal

from pydantic import Field

from shared.contracts.base import Instant, ShortText
from shared.contracts.events.base import ActionEvent, CallBackOutcome, CaseEvent, JsonObject


class WorkStarted(ActionEvent):
    """Work started."""

    name = "work_started"


class ProgressReported(ActionEvent):
    """Progress was reported."""

    name = "progress_reported"

    to: ShortText = ""


class Handled(ActionEvent):
    """The complaint was handled."""

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
    """An extension of a clock was requested."""

    name = "extension_requested"

    clock: ShortText = ""
    extend_by: ShortText = ""
    until: Instant | None = None


class ExtensionGranted(ActionEvent):
    """An extension of a clock was granted."""

    name = "extension_granted"

    clock: ShortText = ""
    extend_by: ShortText = ""
    until: Instant | None = None


class ExtensionRefused(ActionEvent):
    """An extension of a clock was refused."""

    name = "extension_refused"

    clock: ShortText = ""


class DateAgreed(ActionEvent):
    """A date was agreed with the customer."""

    name = "date_agreed"

    date: Instant | None = None


class Suspended(ActionEvent):
    """Handling was suspended, for a reason that the procedure lists."""

    name = "suspended"


class Resumed(ActionEvent):
    """Handling continues after a suspension."""

    name = "resumed"


class Linked(ActionEvent):
    """The case was linked to another one."""

    name = "linked"

    to_case: ShortText = ""
    kind_of_link: Literal["", "duplicate", "group", "repeat", "same_event"] = Field(default="", alias="as")
    group: ShortText = ""


class Unlinked(ActionEvent):
    """A link was removed: the one to `to_case`, of that kind or group where the event names one."""

    name = "unlinked"

    to_case: ShortText = ""
    kind_of_link: Literal["", "duplicate", "group", "repeat", "same_event"] = Field(default="", alias="as")
    group: ShortText = ""


class DuplicateJoined(CaseEvent):
    """A duplicate follows this case from now on; `clocks` are the clocks that it brings: start, and due instants that have not passed."""

    name = "duplicate_joined"

    duplicate: ShortText = ""
    received_at: Instant | None = None
    complainant_keys: list[ShortText] = Field(default_factory=list)
    clocks: JsonObject = Field(default_factory=dict)


class DuplicateLeft(CaseEvent):
    """A duplicate no longer follows this case, which gives back what it took over."""

    name = "duplicate_left"

    duplicate: ShortText = ""


class Objected(ActionEvent):
    """A department disputes its responsibility."""

    name = "objected"


class Ruled(ActionEvent):
    """A dispute over responsibility was decided."""

    name = "ruled"


class EscalationAcknowledged(ActionEvent):
    """An escalation was acknowledged, which ends its ladder."""

    name = "escalation_acknowledged"


class Withdrawn(ActionEvent):
    """The complainant withdrew the complaint, which ends the case."""

    name = "withdrawn"


class Urged(ActionEvent):
    """The complainant asked for the handling to be hurried; on a duplicate, `to_case` is the lead that the urging went to."""

    name = "urged"

    to_case: ShortText = ""


class Supplemented(ActionEvent):
    """The complainant added to the complaint; on a duplicate, `to_case` is the lead that the supplement went to."""

    name = "supplemented"

    to_case: ShortText = ""


class Rated(ActionEvent):
    """The complainant rated the handling from 0 to 100, by survey or call; from 60 he counts as satisfied."""

    name = "rated"

    score: int | None = None


class Closed(ActionEvent):
    """The case was closed."""

    name = "closed"


class Reopened(ActionEvent):
    """A closed case was opened again."""

    name = "reopened"


class Evaluated(ActionEvent):
    """A finished case was evaluated."""

    name = "evaluated"

    figures: JsonObject = Field(default_factory=dict)


class PersonErased(CaseEvent):
    """The case's personal values (names, contact data, texts) were erased for good: anyone who holds copies of them erases them too.

    It names no one. `ground` is `request` of the person, `retention` (the time for which records are kept is over) or an `order`.
    """

    name = "person_erased"

    ground: Literal["", "request", "retention", "order"] = ""


class ActionRefused(ActionEvent):
    """An action was refused: recorded in the ledger, without a change of the case's state."""

    name = "action_refused"

    action: ShortText = ""
    department: ShortText = ""
    data: JsonObject = Field(default_factory=dict)
    late: bool = False
