"""Base classes of events: the fields for when, why and by whom."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from shared.contracts.base import Identifier, Instant, LongText, ShortText, WireModel


class CaseEvent(WireModel):
    """Something that happened to a case; immutable.

    `at` is when it happened, `recorded_at` when it was stored, `late_by` how many seconds after its due instant a timer was processed.
    `procedure`, `version`, `rule` (an entry's id) and `clause` give the reason; `clauses` lists all clauses of an entry with several.
    `role` is the acting role, or the owner's role for events of a clock; `actor` is the acting person's id;
    `by` holds the channels, or the service that decided.
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
        """The event's id in the vocabulary."""
        return self.name


class ActionEvent(CaseEvent):
    """An event that an accepted action caused, with the data that every action may have."""

    text: LongText = ""
    reason: ShortText = ""
    attachments: list[ShortText] = Field(default_factory=list)
    promise: LongText = ""


class ReportEvent(ActionEvent):
    """An event of an action that reports, for which a procedure may require contents with `report_needs`."""

    missing: list[ShortText] = Field(default_factory=list, description="Fields that the procedure requires and the report lacks")


class ClockEvent(CaseEvent):
    """An event of one round of a clock; `due_at` is the round's first due instant, None while unknown (paused, or no date is set).

    `known_at` is given where the due instant had passed before the fact that it follows from was known: when it became known.
    """

    clock: ShortText = ""
    round: int = 0
    due_at: Instant | None = None
    known_at: Instant | None = None
    provisional: bool = False


class DueClock(WireModel):
    """A clock that runs or is paused, as a department reads it; `due_at` is None while it is unknown."""

    clock: ShortText = ""
    clause: ShortText = ""
    due_at: Instant | None = None


CallBackOutcome = Literal["", "satisfied", "dissatisfied", "understood", "unreachable"]
JsonObject = dict[str, Any]
