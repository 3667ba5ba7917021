"""The state of a case, which every decision starts from and which is stored as JSON between decisions.

Instants are integers: microseconds since 1970 in UTC. `views.event_mapping` converts them to and from datetimes.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import Any, Literal

from services.sla.domain.lifecycle.defaults.call_backs import CallBacks
from services.sla.domain.lifecycle.findings.records import Findings
from services.sla.domain.lifecycle.links.records import CaseLink, Duplicate

CaseStatus = Literal["open", "closed", "refused", "withdrawn"]
ClockRunState = Literal["running", "paused", "dormant", "stopped", "cancelled"]
ACTIVE_STATES: tuple[ClockRunState, ...] = ("running", "paused")
ENDED_STATES: tuple[ClockRunState, ...] = ("stopped", "cancelled")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a case; `data` has the field names of the event's contract.

    `cause` is `action`, `triage`, `message` or `opening` for the event of an input, `timer` for an effect of something due,
    and empty for an event that follows from another event.
    """

    type: str
    at: int
    sequence: int
    data: dict[str, Any]
    cause: str = ""


@dataclass(slots=True)
class ClockRun:
    """One round of one clock. While its guard does not hold, it is dormant: it remembers its start and its pauses, but nothing is due.

    `dues` and `reminders` have one instant for each entry of the clock's plan, None where the entry does not apply; `done` and
    `reminded` are the indexes of those already executed. `seen` are the indexes of the stop events that have come, `pauses`
    pairs of instants (the last one's end is None while paused), `extensions` those granted (`late`: after the breach),
    `occurred` the latest occurrence of a repeating clock, and
    `deemed` the event that a due entry has deemed; `breached` is the due instant that the round missed first, which an extension
    granted afterwards does not undo; `known_at` is when a fact became known that had put a due instant into the past. `stilled`:
    paused because the case became a duplicate; `earliest_due`: nothing is due before, since the case was one. `unit` is the
    department that led at the start, `acted` the instant of the latest act that a repeating clock expects;
    `lost`: cancelled because that department lost the case.
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
    known_at: int | None = None
    stilled: bool = False
    earliest_due: int | None = None
    unit: str = ""
    acted: int | None = None
    lost: bool = False

    @property
    def due_at(self) -> int | None:
        """The first due instant that exists, or the next occurrence of a repeating clock."""
        for at in self.dues:
            if at is not None:
                return at
        return self.next_occurrence

    @property
    def is_active(self) -> bool:
        """Whether the run is running or paused."""
        return self.state in ACTIVE_STATES

    @property
    def is_ended(self) -> bool:
        """Whether the run is stopped or cancelled."""
        return self.state in ENDED_STATES

    def working_copy(self) -> ClockRun:
        """An equal run with lists of its own."""
        # In the order of the fields: every decision copies every active run, and with ten of them keywords would cost
        # 5 µs, a tenth of the decision; dataclasses.replace and copy.copy cost 20 µs.
        return ClockRun(
            self.clock,
            self.number,
            self.start,
            self.event,
            self.state,
            [*self.seen],
            [*self.pauses],
            [*self.dues],
            [*self.done],
            [*self.reminders],
            [*self.reminded],
            self.occurred,
            self.next_occurrence,
            [*self.extensions],
            self.provisional,
            self.ended,
            self.deemed,
            self.breached,
            self.known_at,
            self.stilled,
            self.earliest_due,
            self.unit,
            self.acted,
            self.lost,
        )


@dataclass(slots=True)
class Escalation:
    """One matter on a ladder: `rung` is the index of the rung it has reached, `next` the instant of the next rung without an answer.

    `next` is None where only a new cause takes it further. `every` are the times of which the shortest leads to the next role of the
    organisation's line, where the engine's default climbs it; such an escalation ends with its clock.
    """

    ladder: str
    clock: str
    rung: int
    next: int | None
    active: bool
    clause: list[str]
    by: list[str]
    every: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Case:
    """Everything that a decision on a case may read.

    `last` (the fields that some condition reads of the latest event of a type), `count` (of events of a type) and `call_backs` begin at
    the registration or at the last reopening; so do the agreements among `findings`. `rounds` are the runs of each clock, `climbs` the
    escalations; `unsigned` is set while measures wait for their sign-off; `decisions` maps what was submitted to the event that decided
    on it, empty while none has; `lead` is the case that it is a duplicate of, `handed_over` what that one took over, `duplicates` are
    its own; `urgings` counts those that no one was informed of yet, `ended_by` is the role that ended the case; `windows` maps each action
    that is no longer accepted to the clauses that close it; `leads` are the departments that have led (empty after a return), each with
    the instant since when; `receipts` counts how often each department has signed since the case came back to it;
    `review` is what a person has to review of triage's decision, empty while he has not.
    """

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
    links: list[CaseLink] = field(default_factory=list)
    lead: str = ""
    duplicates: list[Duplicate] = field(default_factory=list)
    handed_over: dict[str, Any] = field(default_factory=dict)
    complainant_keys: list[str] = field(default_factory=list)
    urgings: int = 0
    urgings_told_at: int | None = None
    ended_by: str = ""
    windows: dict[str, list[str]] = field(default_factory=dict)
    decisions: dict[str, str] = field(default_factory=dict)
    decided_by_person: list[str] = field(default_factory=list)
    last: dict[str, dict[str, Any]] = field(default_factory=dict)
    count: dict[str, int] = field(default_factory=dict)
    rounds: dict[str, list[ClockRun]] = field(default_factory=dict)
    climbs: list[Escalation] = field(default_factory=list)
    sequence: int = 0
    leads: list[tuple[int, str]] = field(default_factory=list)
    call_backs: CallBacks = field(default_factory=CallBacks)
    findings: Findings = field(default_factory=Findings)
    receipts: dict[str, int] = field(default_factory=dict)
    review: dict[str, Any] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Whether the case has not ended (closed, refused or withdrawn)."""
        return self.status == "open"

    def current_run(self, clock_id: str) -> ClockRun | None:
        """The latest run of a clock."""
        runs = self.rounds.get(clock_id)
        return runs[-1] if runs else None

    def record_lead(self, at: int) -> None:
        """Note since when the present department leads, if it has changed."""
        if self.department != (self.leads[-1][1] if self.leads else ""):
            self.leads.append((at, self.department))

    def find_link(self, unlinked: dict[str, Any]) -> CaseLink | None:
        """The link that `unlinked` takes off: the latest to that case, of that kind or of that group where it names one."""
        to_case, kind, group = unlinked.get("to_case", ""), unlinked.get("as", ""), unlinked.get("group", "")
        for link in reversed(self.links):
            # Triage names the group: the case that a member was linked to may itself have left the group since.
            names_link = link.group == group if group else link.case == to_case
            if names_link and (not kind or link.kind == kind):
                return link
        return None

    def working_copy(self) -> Case:
        """An equal case with containers of its own; runs that have ended are shared, since they never change."""
        return Case(
            id=self.id,
            procedure=self.procedure,
            version=self.version,
            number=self.number,
            received_at=self.received_at,
            registered_at=self.registered_at,
            complaint=self.complaint,
            parameters=self.parameters,
            status=self.status,
            kind=self.kind,
            class_=self.class_,
            rule=self.rule,
            subject=self.subject,
            department=self.department,
            proposed=self.proposed,
            cooperating=[*self.cooperating],
            handler=self.handler,
            owner=self.owner,
            level=self.level,
            facts={**self.facts},
            accepted=self.accepted,
            approved=self.approved,
            answered=self.answered,
            suspended=self.suspended,
            unsigned=self.unsigned,
            agreed=self.agreed,
            links=[*self.links],
            lead=self.lead,
            duplicates=[*self.duplicates],
            handed_over=self.handed_over,
            complainant_keys=self.complainant_keys,
            urgings=self.urgings,
            urgings_told_at=self.urgings_told_at,
            ended_by=self.ended_by,
            windows={**self.windows},
            decisions={**self.decisions},
            decided_by_person=[*self.decided_by_person],
            last={**self.last},
            count={**self.count},
            rounds={clock: _copy_last_run(runs) for clock, runs in self.rounds.items()},
            climbs=[copy(escalation) for escalation in self.climbs],
            sequence=self.sequence,
            leads=[*self.leads],
            call_backs=self.call_backs,
            findings=self.findings,
            receipts={**self.receipts},
            review=self.review,
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Case:
        """The case from its fields as `dataclasses.asdict` or orjson give them; raises `KeyError` or `TypeError` for others."""
        rounds = {clock: [ClockRun(**run) for run in runs] for clock, runs in data["rounds"].items()}
        climbs = [Escalation(**escalation) for escalation in data["climbs"]]
        links = [CaseLink(**link) for link in data["links"]]
        duplicates = [Duplicate(**duplicate) for duplicate in data["duplicates"]]
        leads = [(at, department) for at, department in data.get("leads", ())]
        call_backs = CallBacks(**data.get("call_backs", {}))
        findings = Findings.from_dict(data.get("findings", {}))
        parts = {"rounds": rounds, "climbs": climbs, "links": links, "duplicates": duplicates, "leads": leads}
        return cls(**{**data, **parts, "call_backs": call_backs, "findings": findings})


def _copy_last_run(runs: list[ClockRun]) -> list[ClockRun]:
    last = runs[-1]
    return runs if last.state in ENDED_STATES else [*runs[:-1], last.working_copy()]
