"""Events that clocks and ladders cause by themselves."""

from pydantic import Field

from shared.contracts.base import Instant, ShortText
from shared.contracts.events.base import ClockEvent


class ClockStarted(ClockEvent):
    """A round of a clock began to run."""

    name = "clock_started"

    started_at: Instant | None = None


class ClockPaused(ClockEvent):
    """The clock stands still."""

    name = "clock_paused"


class ClockResumed(ClockEvent):
    """The clock runs again."""

    name = "clock_resumed"


class ClockStopped(ClockEvent):
    """The clock was met; `in_time` says whether before it was due."""

    name = "clock_stopped"

    in_time: bool = True


class ClockCancelled(ClockEvent):
    """The clock ended without being met."""

    name = "clock_cancelled"

    reason: ShortText = ""


class ClockMoved(ClockEvent):
    """The due instant changed: from `from_at` to `due_at`."""

    name = "clock_moved"

    from_at: Instant | None = None
    reason: ShortText = ""


class Reminded(ClockEvent):
    """A role was reminded or chased."""

    name = "reminded"

    recipients: list[ShortText] = Field(default_factory=list)
    occurrences: int = 1
    reason: ShortText = ""


class ClockBreached(ClockEvent):
    """The deadline passed unmet."""

    name = "clock_breached"

    occurrences: int = 1
    in_principle: bool = False


class Escalated(ClockEvent):
    """The matter was put before the next rung."""

    name = "escalated"

    recipients: list[ShortText] = Field(default_factory=list)
    rung: int = 0
    ladder: ShortText = ""
    reason: ShortText = ""
    level: int = 0


class NoRecipient(ClockEvent):
    """Nobody was left to tell; the organisation's fallback is told."""

    name = "no_recipient"

    recipients: list[ShortText] = Field(default_factory=list)
    ladder: ShortText = ""
    reason: ShortText = ""
