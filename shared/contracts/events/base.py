"""What every event of a case carries: when, why, and who."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from shared.contracts.base import Identifier, Instant, LongText, ShortText, WireModel


class CaseEvent(WireModel):
    """Something that happened to a case; never changed.

    `at` is when it happened, `recorded_at` when it was written, `late_by` (seconds) how much later than due a timer was done.
    `procedure`, `version`, `rule` (the entry's id) and `clause` say why; `clauses` holds all of them where an entry carries several.
    `role` is the acting role, for a clock's events the owner's; `actor` the acting person's id; `by` channels or the deciding service.
    """

    name: ClassVar[str] = ""

    case: Identifier
    at: Instant
    recorded_at: Instant | None = None
    sequence: int = 0
    procedure: ShortText = ""
    version: int = 0
    rule: ShortText = ""
    clause: ShortText = ""
    clauses: list[ShortText] = Field(default_factory=list)
    role: ShortText = ""
    actor: ShortText = ""
    by: list[ShortText] | ShortText = ""
    late_by: float = 0.0

    @property
    def type(self) -> str:
        """The event's fixed id in the vocabulary."""
        return self.name


class ActionEvent(CaseEvent):
    """An event that an accepted action caused, with what any action may bring along."""

    text: LongText = ""
    reason: ShortText = ""
    attachments: list[ShortText] = Field(default_factory=list)
    promise: LongText = ""


class ClockEvent(CaseEvent):
    """An event of one round of one clock; `due_at` is the round's first due instant, None while it cannot be known (paused, no date)."""

    clock: ShortText = ""
    round: int = 0
    due_at: Instant | None = None
    provisional: bool = False


CallBackOutcome = Literal["", "satisfied", "dissatisfied", "understood", "unreachable"]
JsonObject = dict[str, Any]
