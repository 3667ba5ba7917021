"""Outcomes of a case: deadlines, reminders, breaches, escalations, deemed acts, refused actions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from services.sla.domain.lifecycle.case import Event

OutcomeKind = Literal["deadline", "reminder", "breach", "escalation", "deemed", "refusal"]
OUTCOME_KINDS: tuple[OutcomeKind, ...] = ("deadline", "reminder", "breach", "escalation", "deemed", "refusal")


@dataclass(frozen=True, slots=True)
class OutcomeKey:
    """A deadline of a round, or the n-th of the others; `name` is the clock, else the ladder, the event or the action."""

    kind: OutcomeKind
    name: str
    number: int
    is_clock: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The due instant of a deadline, or the instant at which something happened (microseconds), and the clauses it followed."""

    at: int
    clauses: tuple[str, ...]


def outcomes(events: Iterable[Event]) -> dict[OutcomeKey, Outcome]:
    """The outcomes of a case's events; of a deadline that moved, the last instant counts."""
    found: dict[OutcomeKey, Outcome] = {}
    counted: dict[tuple[OutcomeKind, str], int] = defaultdict(int)
    for event in events:
        data = event.data
        clock = str(data.get("clock", ""))
        clauses = tuple(data.get("clauses") or ([data["clause"]] if data.get("clause") else ()))
        if event.type in ("clock_started", "clock_moved"):
            if "due_at" in data:
                found[OutcomeKey("deadline", clock, int(data["round"]), is_clock=True)] = Outcome(data["due_at"], clauses)
            continue
        kind = _kind(event)
        if kind is not None:
            name = clock or str(data.get("ladder") or data.get("action") or event.type)
            counted[kind, name] += 1
            found[OutcomeKey(kind, name, counted[kind, name], is_clock=bool(clock))] = Outcome(event.at, clauses)
    return found


def _kind(event: Event) -> OutcomeKind | None:
    match event.type:
        case "reminded":
            return "reminder"
        case "clock_breached":
            return "breach"
        case "escalated":
            return "escalation"
        case "action_refused" if event.cause == "action":
            return "refusal"
    # An event of the engine that names a clock and is none of the clock's own stands for an act that nobody took in time.
    is_deemed = event.data.get("role") == "system" and "clock" in event.data and not event.type.startswith("clock_")
    return "deemed" if is_deemed else None
