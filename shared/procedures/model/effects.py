"""Effects: the closed list of what entries do under `do`."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from shared.contracts.base import StrictModel
from shared.contracts.events import EVENT_CLASSES
from shared.procedures.model.wording import Wording

RoleNames = str | list[str]
MessageChannel = Literal["sms", "email", "chat", "voice"]
LEAD, COOPERATING = "lead", "cooperating"
CASE_DEPARTMENTS = (LEAD, COOPERATING)
"""The departments of a case that a message effect may name; every other name is a role."""


class Effect(StrictModel):
    """The fields of every effect: its clause and a condition."""

    clause: str | list[str] | None = Field(default=None, description="if it differs from the entry's clause")
    when: str | None = Field(default=None, description="CEL condition, evaluated when the effect runs")


class MessageEffect(Effect):
    """The fields of effects that send a message."""

    by: list[MessageChannel] = ["email"]
    template: str | None = None
    text: Wording | None = Field(default=None, description="the message's own wording; without it, the wording by kind of entry")
    texts: dict[str, Wording] = Field(default={}, description="event → wording, where the causes of the message need different ones")
    # grievance-system employee-4 asks the co-operating departments as well, realestate-engineering 4.2.2 the executives of two lines.
    departments: list[str] = Field(
        default=["lead"],
        description="in which departments the recipients are searched, each in its own line: `lead`, `cooperating` (each), or a role: "
        "the department of its holders for the case, else of all its holders",
    )

    def wording(self, event: str) -> Wording | None:
        """The wording of the message that an event causes; that of a clock's message for the empty name."""
        # Measures that need a sign-off count as submitted when they are signed off.
        return self.texts.get("measures_submitted" if event == "measures_signed_off" else event, self.text)

    def wordings(self) -> list[Wording]:
        """All wordings of the effect."""
        return [*([] if self.text is None else [self.text]), *self.texts.values()]


class Breach(Effect):
    """Record that the deadline passed unmet (`clock_breached`); `in_principle` if the regulation allows exceptions from the limit."""

    breach: Literal[True] = True
    # realestate-engineering 4.1.1 sets its limits “in principle”: chased and counted, but they may be exceeded with a reason.
    in_principle: bool = False


class Remind(MessageEffect):
    """Remind a role: `reminded`, and a message to its holders; `owner` is the clock's owner."""

    remind: RoleNames


class Notify(MessageEffect):
    """Send a message to a role or the complainant: `notification_requested`."""

    notify: RoleNames
    urgent: bool = False


class Escalate(Effect):
    """Escalate along a ladder (its id), or to a role and then up the organisation's line: `escalated`."""

    escalate: str
    by: list[MessageChannel] = ["email", "sms"]


class DeemEvent(Effect):
    """Cause an event because the time for the action expired, such as `measures_deemed_approved`."""

    deem: str = Field(json_schema_extra={"enum": [*sorted(EVENT_CLASSES)]})


class Reclassify(Effect):
    """Change the class or kind of the case: `reclassified`."""

    reclassify: str | None = Field(default=None, description="the class")
    kind: Literal["complaint", "demand", "risk", "warning"] | None = None


class RaiseLevel(Effect):
    """Raise the management level by a number of the procedure's `levels`."""

    # telecom-urgent 4(2): an urgent complaint is handled one management level higher.
    raise_level: int = Field(ge=1, le=9)


class SetFacts(Effect):
    """Set facts of the case: `amended`."""

    set: dict[str, Any] = Field(min_length=1)


class AssignHandler(Effect):
    """Assign a handler by role: `assigned`."""

    assign: str


class StartClock(Effect):
    """Start a clock, in a new round if it ran before."""

    start: str


class CancelClock(Effect):
    """Cancel a running clock."""

    cancel: str


class RefuseActions(Effect):
    """Refuse these actions from now on."""

    refuse_further: RoleNames


# What a regulation needs beyond this list is added to the engine, with a decision record (ADR 9).
EFFECT_CLASSES: dict[str, type[Effect]] = {
    "breach": Breach,
    "remind": Remind,
    "notify": Notify,
    "escalate": Escalate,
    "deem": DeemEvent,
    "reclassify": Reclassify,
    "raise_level": RaiseLevel,
    "set": SetFacts,
    "assign": AssignHandler,
    "start": StartClock,
    "cancel": CancelClock,
    "refuse_further": RefuseActions,
}
"""The key that identifies an effect in YAML → its class."""

_SHORT_FORM_TAG = "short"


def _effect_tag(value: Any) -> str | None:
    """The branch of `AnyEffect` that a value belongs to, by its key, so that pydantic reports errors of that branch only."""
    if isinstance(value, str):
        return _SHORT_FORM_TAG
    if isinstance(value, Effect):
        return type(value).__name__
    if not isinstance(value, dict):
        return None
    for key, effect in EFFECT_CLASSES.items():
        if key in value:
            return effect.__name__
    return Reclassify.__name__ if "kind" in value else None  # `{kind: demand}` changes the kind only


AnyEffect = Annotated[
    Annotated[Literal["breach"], Tag(_SHORT_FORM_TAG)]
    | Annotated[Breach, Tag(Breach.__name__)]
    | Annotated[Remind, Tag(Remind.__name__)]
    | Annotated[Notify, Tag(Notify.__name__)]
    | Annotated[Escalate, Tag(Escalate.__name__)]
    | Annotated[DeemEvent, Tag(DeemEvent.__name__)]
    | Annotated[Reclassify, Tag(Reclassify.__name__)]
    | Annotated[RaiseLevel, Tag(RaiseLevel.__name__)]
    | Annotated[SetFacts, Tag(SetFacts.__name__)]
    | Annotated[AssignHandler, Tag(AssignHandler.__name__)]
    | Annotated[StartClock, Tag(StartClock.__name__)]
    | Annotated[CancelClock, Tag(CancelClock.__name__)]
    | Annotated[RefuseActions, Tag(RefuseActions.__name__)],
    Discriminator(_effect_tag),
]


def expand_effect(effect: AnyEffect) -> Effect:
    """The effect as a model; `breach` is short for `{breach: true}`."""
    return Breach() if isinstance(effect, str) else effect


def role_tuple(roles: RoleNames) -> tuple[str, ...]:
    """One role or several, as a tuple."""
    return (roles,) if isinstance(roles, str) else tuple(roles)
