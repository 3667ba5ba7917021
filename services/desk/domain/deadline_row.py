"""The row of one run of a clock, as its events describe it."""

from __future__ import annotations

from typing import Any

from shared.contracts.events.base import ClockEvent

_STATES = {
    "clock_started": "running",
    "clock_paused": "paused",
    "clock_resumed": "running",
    "clock_moved": "",
    "clock_breached": "",
    "clock_stopped": "stopped",
    "clock_cancelled": "cancelled",
}


def deadline_change(event: ClockEvent) -> dict[str, Any] | None:
    """The columns that a clock's event sets, None for an event that changes no run; empty text leaves a column as it is."""
    if event.type not in _STATES or not event.clock:
        return None
    ended = event.type in ("clock_stopped", "clock_cancelled")
    return {
        "case_id": event.case,
        "clock": event.clock,
        "round": event.round,
        "state": _STATES[event.type],
        "clause": event.clause,
        "role": event.role,
        "due_at": event.due_at,
        # A paused clock and one without a date have no due instant: only then does an absent one replace what was there.
        "keeps_due": event.due_at is None and (ended or event.type == "clock_breached"),
        "started_at": getattr(event, "started_at", None) or (event.at if event.type == "clock_started" else None),
        "breached_at": (event.due_at or event.at) if event.type == "clock_breached" else None,
        "ended_at": event.at if ended else None,
        "sequence": event.sequence,
    }
