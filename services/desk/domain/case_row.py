"""The row of a case in the inbox, and what each event changes in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.contracts.events.base import CaseEvent, ClockEvent

OPEN = "open"
END_STATES = frozenset({"closed", "refused", "withdrawn"})
_ACTIVE_CLOCK_EVENTS = frozenset({"clock_started", "clock_paused", "clock_resumed", "clock_moved"})
_ENDED_CLOCK_EVENTS = frozenset({"clock_stopped", "clock_cancelled"})


@dataclass(slots=True)
class CaseRow:
    """The columns of a case for lists, counts and filters.

    `state` is open, closed, refused or withdrawn; `running` maps each active run of a clock (`clock/round`) to its due instant as text,
    empty while it is unknown; `due_at` is the earliest of them. `sequence` is the number of the last event of case-events that was
    applied: a record that comes again changes nothing. `seen_by` are the keys of visibility.py, `figures` the days of figure_days.py.
    """

    case_id: str
    number: str = ""
    procedure: str = ""
    version: int = 0
    title: str = ""
    kind: str = ""
    class_: str = ""
    subject: str = ""
    channel: str = ""
    state: str = OPEN
    department: str = ""
    proposed: str = ""
    cooperating: list[str] = field(default_factory=list)
    handler: str = ""
    level: int = 0
    received_at: datetime | None = None
    due_at: datetime | None = None
    due_clock: str = ""
    breached: bool = False
    escalated: bool = False
    suspended: bool = False
    lead: str = ""
    anonymous: bool = False
    against: list[str] = field(default_factory=list)
    review: str = ""
    urgings: int = 0
    running: dict[str, str] = field(default_factory=dict)
    seen_by: list[str] = field(default_factory=list)
    sequence: int = 0
    changed_at: datetime | None = None
    ended_at: datetime | None = None
    figures: list[int] = field(default_factory=list)


def register_case(row: CaseRow, event: Any, hidden: frozenset[str]) -> None:
    """Take over the complaint of `registered`, without the fields that the procedure keeps confidential."""
    complaint = event.complaint
    row.number = event.number or complaint.number
    row.procedure, row.version = event.procedure, event.version
    row.title = "" if "title" in hidden else (complaint.title or "")
    row.kind = row.kind or complaint.kind or ""
    row.channel = complaint.channel
    row.received_at = complaint.received_at
    row.anonymous = complaint.complainant.anonymous
    row.against = list(complaint.against)
    row.changed_at = row.changed_at or event.at


def apply_event(row: CaseRow, event: CaseEvent, hidden: frozenset[str]) -> None:
    """Apply one event of case-events, which is newer than the row."""
    row.sequence, row.changed_at = event.sequence, event.at
    kind = event.type
    if isinstance(event, ClockEvent):
        _apply_clock_event(row, event)
    elif kind in END_STATES:
        row.state, row.ended_at, row.review, row.escalated = kind, event.at, "", False
    else:
        _apply_case_event(row, event, hidden)


def _apply_case_event(row: CaseRow, event: Any, hidden: frozenset[str]) -> None:
    match event.type:
        case "registered":
            register_case(row, event, hidden)
        case "classified" | "reclassified":
            row.kind, row.class_, row.subject = event.kind or row.kind, event.class_ or row.class_, event.subject or row.subject
        case "routed" | "reassigned":
            row.department, row.cooperating = event.department, list(event.cooperating)
            row.review = getattr(event, "review", "") or row.review
        case "route_proposed":
            row.proposed, row.review = event.department, event.review or row.review
        case "returned":
            row.department, row.cooperating, row.handler = "", [], ""
        case "assigned":
            row.handler = event.person or event.to_role
        case "amended":
            _amend(row, event.fields, hidden)
        case "reopened":
            row.state, row.ended_at = OPEN, None
        case "suspended" | "resumed":
            row.suspended = event.type == "suspended"
        case "review_decided":
            row.review = ""
        case "escalation_acknowledged":
            row.escalated = False
        case "urged":
            row.urgings += 1
        case "linked" if event.kind_of_link == "duplicate":
            row.lead = event.to_case
        case "unlinked" if event.to_case == row.lead:
            row.lead = ""


def _amend(row: CaseRow, fields: dict[str, Any], hidden: frozenset[str]) -> None:
    if "title" in fields and "title" not in hidden:
        row.title = str(fields["title"] or "")
    if isinstance(against := fields.get("against"), list):
        row.against = [str(name) for name in against]


def _apply_clock_event(row: CaseRow, event: ClockEvent) -> None:
    key = f"{event.clock}/{event.round}"
    kind = event.type
    if kind in _ACTIVE_CLOCK_EVENTS:
        row.running[key] = event.due_at.isoformat() if event.due_at else ""
    elif kind in _ENDED_CLOCK_EVENTS:
        row.running.pop(key, None)
    elif kind == "clock_breached":
        row.breached = True
    elif kind == "escalated":
        row.escalated, row.level = True, max(row.level, getattr(event, "level", 0))
    dues = [(datetime.fromisoformat(due), run.rpartition("/")[0]) for run, due in row.running.items() if due]
    row.due_at, row.due_clock = min(dues, default=(None, ""))
