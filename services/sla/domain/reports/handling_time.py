"""Splits the time of a case, from receipt to end, by the department that had it and what it waited for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

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
"""Event type → what the case waits for after it; `handling` is time in which the department itself works on the case."""
SIGN_OFF = "sign_off"
_END_EVENTS = frozenset({"closed", "refused", "withdrawn"})


@dataclass(frozen=True, slots=True)
class HandlingSegment:
    """A half-open interval in UTC microseconds, with the department that had the case and what the case waited for."""

    start: int
    end: int
    department: str
    reason: str

    @property
    def length(self) -> int:
        """The length in microseconds."""
        return self.end - self.start

    def clip(self, since: int, until: int) -> HandlingSegment:
        """Return the part within a period, of length 0 if there is none."""
        start = min(max(self.start, since), until)
        return replace(self, start=start, end=max(start, min(self.end, until)))


@dataclass(slots=True)
class _HandlingState:
    department: str = ""
    waiting_for: str = UNASSIGNED
    suspended: bool = False
    ended: bool = False

    @property
    def reason(self) -> str:
        return ENDED if self.ended else SUSPENDED if self.suspended else self.waiting_for

    def apply(self, event: Event) -> None:
        match event.type:
            case "routed" | "reassigned":
                self.department, self.waiting_for = event.data.get("department", ""), HANDLING
            case "route_proposed" if not self.department:
                self.waiting_for = PROPOSED
            case "returned":
                self.department, self.waiting_for = "", UNASSIGNED
            case "suspended" | "resumed":
                self.suspended = event.type == "suspended"
            case event_type if event_type in _END_EVENTS:
                self.ended = True
            case "reopened":
                self.ended, self.suspended, self.waiting_for = False, False, HANDLING if self.department else UNASSIGNED
            case "measures_submitted" if event.data.get("needs_sign_off"):
                self.waiting_for = SIGN_OFF
            case event_type if event_type in WAIT_REASON_BY_EVENT:
                self.waiting_for = WAIT_REASON_BY_EVENT[event_type]


def handling_segments(received_at: int, events: Iterable[Event], until: int) -> list[HandlingSegment]:
    """Split a case's time from receipt to its last end, or to `until` while it is open; events in ledger order.

    The segments leave no gap: their lengths add up to the elapsed time.
    """
    in_order = list(events)
    reopened_index = max((index for index, event in enumerate(in_order) if event.type == "reopened"), default=0)
    end = next((event.at for event in in_order[reopened_index:] if event.type in _END_EVENTS), None)
    if end is not None:
        until = min(until, max(end, received_at))
    return list(_iterate_segments(received_at, in_order, until))


def _iterate_segments(received_at: int, events: Iterable[Event], until: int) -> Iterator[HandlingSegment]:
    state, start = _HandlingState(), received_at
    for event in events:
        department, reason = state.department, state.reason
        state.apply(event)
        # A registration typed in late has a later instant than the deadlines that passed before it: segments never run backwards.
        at = min(max(start, event.at), until)
        if at > start and (department, reason) != (state.department, state.reason):
            yield HandlingSegment(start, at, department, reason)
            start = at
    if until > start:
        yield HandlingSegment(start, until, state.department, state.reason)
