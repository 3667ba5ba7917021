"""Events of clocks and escalation ladders, which no action causes directly."""

from pydantic import Field

from shared.contracts.base import Instant, ShortText
from shared.contracts.events.base import ClockEvent


class ClockStarted(ClockEvent):
    """A round of a clock started."""

    name = "clock_started"

    started_at: Instant | None = None


class ClockPaused(ClockEvent):
    """The clock was paused."""

    name = "clock_paused"

    reason: ShortText = ""


class ClockResumed(ClockEvent):
    """The clock continues after a pause."""

    name = "clock_resumed"

    reason: ShortText = ""


class ClockStopped(ClockEvent):
    """The clock was met; `in_time` is whether that happened before it was due."""

    name = "clock_stopped"

    in_time: bool = True


class ClockCancelled(ClockEvent):
    """The clock ended without being met or breached."""

    name = "clock_cancelled"

    reason: ShortText = ""


class ClockMoved(ClockEvent):
    """The due instant changed from `from_at` to `due_at`."""

    name = "clock_moved"

    from_at: Instant | None = None
    reason: ShortText = ""


class Reminded(ClockEvent):
    """A role was reminded."""

    name = "reminded"

    recipients: list[ShortText] = Field(default_factory=list)
    occurrences: int = 1
    reason: ShortText = ""


class ClockBreached(ClockEvent):
    """The deadline passed before the clock was met; `same_delay`: once more, after an extension that was granted after the first breach."""

    name = "clock_breached"

    occurrences: int = 1
    in_principle: bool = False
    same_delay: bool = False


class Escalated(ClockEvent):
    """The case was escalated to the next rung of a ladder."""

    name = "escalated"

    recipients: list[ShortText] = Field(default_factory=list)
    rung: int = 0
    ladder: ShortText = ""
    reason: ShortText = ""
    level: int = 0


class NoRecipient(ClockEvent):
    """No recipient was found; the organisation's fallback person is notified."""

    name = "no_recipient"

    recipients: list[ShortText] = Field(default_factory=list)
    ladder: ShortText = ""
    reason: ShortText = ""
