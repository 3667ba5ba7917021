"""The inputs of a decision on a case; instants are microseconds since 1970 in UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

AUTHORITY_RULE = "authority"
"""The rule of a refusal because the actor does not hold the role."""
ERASURE_CAUSE = "erasure"
"""The cause of the event that records the erasure of a case's personal values."""


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A registered complaint with triage's first decision; `registered` and `classified` are the fields of these two events."""

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
    """An action of an authenticated actor in a role.

    `denied` is the reason why the action is refused whatever the case states: the actor does not hold that role, or another case
    forbids it. `denied_by` names the rule. The refusal is recorded.
    """

    action: str
    at: int
    role: str
    actor: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    denied: str = ""
    denied_by: str = AUTHORITY_RULE


@dataclass(frozen=True, slots=True)
class ApplyDecision:
    """A decision of triage on an existing case, or the outcome of a notification (`cause` is then `message`), or an erasure (`erasure`).

    `event` is the type, such as routed, reclassified, linked, group_found or notification_failed; `data` are its fields.
    """

    event: str
    at: int
    data: dict[str, Any]
    cause: str = "triage"


@dataclass(frozen=True, slots=True)
class AdvanceTime:
    """All inputs up to an instant are known, so everything that is due by then is executed."""

    upto: int


@dataclass(frozen=True, slots=True)
class Recalculate:
    """The calendars have changed, so every deadline is counted again; each that moves is an event."""

    at: int
    reason: str = "calendar"


CaseInput = OpenCase | TakeAction | ApplyDecision | AdvanceTime | Recalculate
