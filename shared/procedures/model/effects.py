"""What may stand under `do`: one small, closed list."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from shared.contracts.base import StrictModel
from shared.contracts.events import EVENT_CLASSES

RoleNames = str | list[str]
MessageChannel = Literal["sms", "email"]


class Effect(StrictModel):
    """What every effect may carry: a clause of its own and a condition."""

    clause: str | list[str] | None = Field(default=None, description="where it differs from the entry's clause")
    when: str | None = Field(default=None, description="CEL condition at the moment of doing")


class Breach(Effect):
    """Record that the deadline passed unmet; `in_principle` where the text softens the limit."""

    breach: Literal[True] = True
    in_principle: bool = False


class Remind(Effect):
    """Chase a role: `reminded`, and a message to its holder. `owner` means the clock's owner."""

    remind: RoleNames
    by: list[MessageChannel] = ["email"]
    template: str | None = None


class Notify(Effect):
    """Tell a role, or `complainant`: `notification_requested`."""

    notify: RoleNames
    by: list[MessageChannel] = ["email"]
    template: str | None = None
    urgent: bool = False


class Escalate(Effect):
    """Start a ladder by its id; or, with a role, put the matter before that role and go on up the organisation's line."""

    escalate: str
    by: list[MessageChannel] = ["email", "sms"]


class DeemEvent(Effect):
    """An event that happens by itself because time ran out."""

    deem: str = Field(json_schema_extra={"enum": [*sorted(EVENT_CLASSES)]})


class Reclassify(Effect):
    """Give the case another class or kind."""

    reclassify: str | None = Field(default=None, description="the class")
    kind: Literal["complaint", "demand", "risk", "warning"] | None = None


class RaiseLevel(Effect):
    """Raise the management level by that many rungs of the procedure's `levels`."""

    raise_level: int = Field(ge=1, le=9)


class SetFacts(Effect):
    """Set facts of the case: `amended`."""

    set: dict[str, Any] = Field(min_length=1)


class AssignHandler(Effect):
    """Name a handler by role: `assigned`."""

    assign: str


class StartClock(Effect):
    """Start a clock (a new round, where it ran before)."""

    start: str


class CancelClock(Effect):
    """Cancel a running clock."""

    cancel: str


class RefuseActions(Effect):
    """Close a window: these actions are refused from now on."""

    refuse_further: RoleNames


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
    return Reclassify.__name__ if "kind" in value else None


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


def expand_effect(item: AnyEffect) -> Effect:
    """The effect itself: the short form `breach` spelt out."""
    return Breach() if isinstance(item, str) else item


def role_tuple(roles: RoleNames) -> tuple[str, ...]:
    """One role or several, as a tuple."""
    return (roles,) if isinstance(roles, str) else tuple(roles)
