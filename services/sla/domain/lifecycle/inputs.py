"""The inputs of a decision on a case."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A registered complaint with triage's first decision. `registered` and `classified` are those events' fields."""

    case: str
    procedure: str
    version: int
    received_at: int
    registered_at: int
    complaint: dict[str, Any]
    registered: dict[str, Any]
    classified: dict[str, Any]
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TakeAction:
    """An action at an instant by an actor who is known; `data` is the action's data, instants in microseconds.

    `denied` says why the actor may not act in that role at all; the action is then refused, and the ledger says so.
    """

    action: str
    at: int
    role: str
    actor: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    denied: str = ""


@dataclass(frozen=True, slots=True)
class ApplyDecision:
    """A decision of triage on a case that exists (routed, route_proposed, reclassified, linked, amended, group_found), or notify's news."""

    event: str
    at: int
    data: dict[str, Any]
    cause: str = "triage"


@dataclass(frozen=True, slots=True)
class AdvanceTime:
    """Time has passed: everything that happened up to `upto` is known, so what is due by then is carried out."""

    upto: int


@dataclass(frozen=True, slots=True)
class Recalculate:
    """The calendars have changed: every deadline is counted again, and each that moves is an event."""

    at: int
    reason: str = "calendar"


CaseInput = OpenCase | TakeAction | ApplyDecision | AdvanceTime | Recalculate
