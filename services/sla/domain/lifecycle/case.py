"""A case as its events have made it: what every decision starts from, and what is kept between decisions.

Instants are integers, microseconds since 1970 in UTC; the edges turn them into datetimes.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, Literal

CaseStatus = Literal["open", "closed", "refused", "withdrawn"]
ClockRunState = Literal["running", "paused", "dormant", "stopped", "cancelled"]
ACTIVE_STATES: tuple[ClockRunState, ...] = ("running", "paused")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: `data` has the contract's field names; `cause` says what brought it about.

    `cause` is `action`, `triage`, `message` or `opening` for the first event of an input, `timer` for what a clock did,
    and empty for what followed from another event.
    """

    type: str
    at: int
    sequence: int
    data: dict[str, Any]
    cause: str = ""


@dataclass(slots=True)
class ClockRun:
    """One round of one clock. A dormant round waits for its guard; `dues` holds an instant for each due entry, None where there is none.

    `breached` is the due instant that the round missed first; an extension granted afterwards does not undo it.
    """

    clock: str
    number: int
    start: int
    event: str
    state: ClockRunState = "running"
    seen: list[int] = field(default_factory=list)
    pauses: list[list[int | None]] = field(default_factory=list)
    dues: list[int | None] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    reminders: list[int | None] = field(default_factory=list)
    reminded: list[int] = field(default_factory=list)
    occurred: int | None = None
    next_occurrence: int | None = None
    extensions: list[dict[str, Any]] = field(default_factory=list)
    provisional: bool = False
    ended: int | None = None
    deemed: str = ""
    breached: int | None = None

    @property
    def due_at(self) -> int | None:
        """The first due instant that exists, or the next occurrence of a repeating clock."""
        for at in self.dues:
            if at is not None:
                return at
        return self.next_occurrence

    @property
    def is_active(self) -> bool:
        """Whether the round is running or paused."""
        return self.state in ACTIVE_STATES

    def working_copy(self) -> ClockRun:
        """A copy that may be changed without changing this one."""
        twin = ClockRun(*_CLOCK_RUN_VALUES(self))
        twin.seen, twin.pauses, twin.dues, twin.done = [*self.seen], [*self.pauses], [*self.dues], [*self.done]
        twin.reminders, twin.reminded, twin.extensions = [*self.reminders], [*self.reminded], [*self.extensions]
        return twin


@dataclass(slots=True)
class Escalation:
    """A matter on its way up a ladder: the rung it stands on, and when silence takes it further (None: never by itself)."""

    ladder: str
    clock: str
    rung: int
    next: int | None
    active: bool
    clause: list[str]
    by: list[str]


@dataclass(slots=True)
class Case:
    """Everything that a decision on a case may read. `last` and `count` reach back to the registration or the last reopening."""

    id: str
    procedure: str
    version: int
    number: str
    received_at: int
    registered_at: int
    complaint: dict[str, Any]
    parameters: dict[str, Any] = field(default_factory=dict)
    status: CaseStatus = "open"
    kind: str = "complaint"
    class_: str = ""
    rule: str = ""
    subject: str = ""
    department: str = ""
    proposed: str = ""
    cooperating: list[str] = field(default_factory=list)
    handler: str = ""
    owner: str = ""
    level: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    accepted: bool = False
    approved: bool = False
    answered: bool = False
    suspended: bool = False
    unsigned: bool = False
    agreed: int | None = None
    links: list[str] = field(default_factory=list)
    windows: dict[str, list[str]] = field(default_factory=dict)
    decided_by_person: list[str] = field(default_factory=list)
    last: dict[str, dict[str, Any]] = field(default_factory=dict)
    count: dict[str, int] = field(default_factory=dict)
    rounds: dict[str, list[ClockRun]] = field(default_factory=dict)
    climbs: list[Escalation] = field(default_factory=list)
    sequence: int = 0

    @property
    def open(self) -> bool:
        """Whether the case has not ended."""
        return self.status == "open"

    def current_run(self, clock_id: str) -> ClockRun | None:
        """The latest round of a clock."""
        rounds = self.rounds.get(clock_id)
        return rounds[-1] if rounds else None

    def working_copy(self) -> Case:
        """A copy to work on: rounds that have ended are shared, since they never change."""
        twin = Case(*_CASE_VALUES(self))
        twin.cooperating, twin.links, twin.decided_by_person = [*self.cooperating], [*self.links], [*self.decided_by_person]
        twin.facts, twin.windows, twin.last, twin.count = {**self.facts}, {**self.windows}, {**self.last}, {**self.count}
        twin.rounds = {clock: _copy_last_run(rounds) for clock, rounds in self.rounds.items()}
        twin.climbs = [copy(climb) for climb in self.climbs]
        return twin

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Case:
        """The case from what `dataclasses.asdict` or orjson made of it."""
        rounds = {clock: [ClockRun(**each) for each in listed] for clock, listed in data["rounds"].items()}
        climbs = [Escalation(**each) for each in data["climbs"]]
        return cls(**{**data, "rounds": rounds, "climbs": climbs})


def _copy_last_run(rounds: list[ClockRun]) -> list[ClockRun]:
    last = rounds[-1]
    return rounds if last.state in ("stopped", "cancelled") else [*rounds[:-1], last.working_copy()]


# A case is copied for every decision; reading all fields at once is five times as fast as copy().
_CASE_VALUES = attrgetter(*(each.name for each in fields(Case)))
_CLOCK_RUN_VALUES = attrgetter(*(each.name for each in fields(ClockRun)))
