"""Who had a case, and what it waited for, from its receipt to its end: segments without gaps, which add up to its elapsed time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from services.sla.domain.lifecycle.case import Event

UNASSIGNED, PROPOSED, HANDLING, SUSPENDED, ENDED = "unassigned", "proposed", "handling", "suspended", "ended"
WAIT_REASON_BY_EVENT = {
    "reported": "instruction",
    "instructed": HANDLING,
    "measures_submitted": "approval",
    "measures_signed_off": "approval",
    "measures_approved": HANDLING,
    "measures_deemed_approved": HANDLING,
    "measures_rejected": HANDLING,
    "review_requested": "review",
    "review_passed": HANDLING,
    "review_rejected": HANDLING,
    "objected": "ruling",
    "ruled": HANDLING,
    "handled": "verification",
    "verified": "call_back",
    "verification_failed": HANDLING,
    "called_back": HANDLING,
    "handed_over": "taking_over",
    "taken_over": HANDLING,
}
"""Event → what the case waits for afterwards; `handling` is the department's own time."""
SIGN_OFF = "sign_off"


@dataclass(frozen=True, slots=True)
class HandlingSegment:
    """A stretch of a case's time (microseconds, half-open): the department that had it, and what it waited for."""

    start: int
    end: int
    department: str
    reason: str

    @property
    def length(self) -> int:
        """Microseconds."""
        return self.end - self.start

    def clip(self, since: int, until: int) -> HandlingSegment:
        """The part that lies in a period; of length 0 where none does."""
        begun = min(max(self.start, since), until)
        return replace(self, start=begun, end=max(begun, min(self.end, until)))


@dataclass(slots=True)
class _HandlingState:
    department: str = ""
    waiting_for: str = UNASSIGNED
    suspended: bool = False
    ended: bool = False

    @property
    def reason(self) -> str:
        return ENDED if self.ended else SUSPENDED if self.suspended else self.waiting_for

    def apply(self, kind: str, data: dict[str, Any]) -> None:
        """Let an event change who has the case and what it waits for."""
        match kind:
            case "routed" | "reassigned":
                self.department, self.waiting_for = data.get("department", ""), HANDLING
            case "route_proposed" if not self.department:
                self.waiting_for = PROPOSED
            case "returned":
                self.department, self.waiting_for = "", UNASSIGNED
            case "suspended" | "resumed":
                self.suspended = kind == "suspended"
            case "closed" | "refused" | "withdrawn":
                self.ended = True
            case "reopened":
                self.ended, self.suspended, self.waiting_for = False, False, HANDLING if self.department else UNASSIGNED
            case "measures_submitted" if data.get("needs_sign_off"):
                self.waiting_for = SIGN_OFF
            case _ if kind in WAIT_REASON_BY_EVENT:
                self.waiting_for = WAIT_REASON_BY_EVENT[kind]


def handling_segments(received_at: int, events: Iterable[Event], until: int) -> list[HandlingSegment]:
    """The case's time from its receipt to its last end, or to `until` while it is open; events in the order of the ledger."""
    found = list(_iterate_segments(received_at, events, until))
    while found and found[-1].reason == ENDED:
        found.pop()
    return found


def elapsed_time(segments: list[HandlingSegment]) -> int:
    """From receipt to end, in microseconds."""
    return segments[-1].end - segments[0].start if segments else 0


def _iterate_segments(received_at: int, events: Iterable[Event], until: int) -> Iterator[HandlingSegment]:
    standing, begun = _HandlingState(), received_at
    for event in events:
        before = standing.department, standing.reason
        standing.apply(event.type, event.data)
        # A registration entered late is followed by what fell due before it: time does not run backwards for that.
        at = min(max(begun, event.at), until)
        if at > begun and before != (standing.department, standing.reason):
            yield HandlingSegment(begun, at, *before)
            begun = at
    if until > begun:
        yield HandlingSegment(begun, until, standing.department, standing.reason)
