"""The figures of a period: counts, rates and times of a procedure's cases, out of their events alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.sla.domain.lifecycle.case import Event
from services.sla.domain.reports.handling_time import segments
from shared.procedures.model.procedure import Procedure

OUTCOMES = ("satisfied", "dissatisfied", "understood", "unreachable")
EXTENSIONS = {"extension_requested": "requested", "extension_granted": "granted", "extension_refused": "refused"}
ENDS = ("closed", "refused", "withdrawn")
REPEATED = ("repeat", "duplicate")
GROUPS = ("by_kind", "by_class", "by_channel", "by_subject", "by_department", "causes")


@dataclass(frozen=True, slots=True)
class History:
    """A case as its ledger tells it: id, instant of receipt (microseconds), channel, kind of complainant, events in order."""

    case: str
    received_at: int
    channel: str
    complainant: str
    events: Sequence[Event]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Period:
    """From (inclusive) and to (exclusive), in microseconds."""

    since: int
    until: int

    def holds(self, at: int) -> bool:
        """Whether an instant lies in the period."""
        return self.since <= at < self.until


@dataclass(slots=True)
class _Standing:
    """A case at the end of the period."""

    kind: str = "complaint"
    class_: str = ""
    subject: str = ""
    department: str = ""
    status: str = "open"
    links: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Tally:
    """Figures in the making: cases are added one by one, so that no period is too large to be counted."""

    procedure: Procedure
    period: Period
    received: int = 0
    open: int = 0
    repeated: int = 0
    call_backs: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    groups: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    satisfaction: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    finished: Counter[str] = field(default_factory=Counter)
    in_time: Counter[str] = field(default_factory=Counter)
    time: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, whole: History) -> None:
        """Count a case."""
        if whole.received_at >= self.period.until:
            return
        history = _until(whole, self.period.until)
        happened = [event for event in history.events if self.period.holds(event.at)]
        standing = _stand(history)
        self.open += standing.status == "open"
        if self.period.holds(history.received_at):
            self._receive(history, standing)
        self._happen(happened)
        self._finish(history)
        self._call(history, happened)
        for part in segments(history.received_at, history.events, self.period.until):
            length = part.within(self.period.since, self.period.until).length
            if length:
                self.time[part.department, part.reason] += length

    def _receive(self, history: History, standing: _Standing) -> None:
        self.received += 1
        named = {"by_kind": standing.kind, "by_class": standing.class_, "by_subject": standing.subject}
        for name, value in (named | {"by_department": standing.department, "by_channel": history.channel}).items():
            self.groups[name][value] += 1
        self.groups["causes"].update(name for name, value in standing.facts.items() if value is True)
        self.groups["links"].update(standing.links)
        self.repeated += standing.facts.get("second_complaint") is True or any(link in REPEATED for link in standing.links)

    def _happen(self, happened: Sequence[Event]) -> None:
        self.events.update(event.type for event in happened)
        for event in happened:
            if event.type in ("clock_breached", "escalated"):
                self.groups[event.type][event.data.get("clause", "")] += 1

    def _finish(self, history: History) -> None:
        with_limit = {clock.id for clock in self.procedure.clocks if clock.due}
        for event, in_time in _finished(history.events):
            if self.period.holds(event.at) and event.data.get("clock") in with_limit:
                clause = event.data.get("clause", "")
                self.finished[clause] += 1
                self.in_time[clause] += in_time

    def _call(self, history: History, happened: Sequence[Event]) -> None:
        calls = [outcome for event in happened if event.type == "called_back" and (outcome := event.data.get("outcome"))]
        for kind in ("all", history.complainant) if calls else ():
            self.satisfaction[kind][calls[-1]] += 1
        if any(event.type == "closed" for event in happened):
            self.call_backs["closed"] += 1
            self.call_backs["called_back"] += any(event.type == "called_back" for event in history.events)

    def figures(self) -> dict[str, Any]:
        """What was counted, ready for JSON; times in microseconds, rates None where there is nothing to share."""
        kinds = ("all", *sorted(set(self.satisfaction) - {"all"}))
        clauses = {clause: _rate(number, self.in_time[clause]) for clause, number in sorted(self.finished.items())}
        closed, called = self.call_backs["closed"], self.call_backs["called_back"]
        return {
            "received": self.received,
            **{name: _sorted(self.groups[name]) for name in GROUPS},
            "open": self.open,
            **{name: self.events[name] for name in (*ENDS, "reopened")},
            "timely": {**_rate(self.finished.total(), self.in_time.total()), "by_clause": clauses},
            "satisfaction": {kind: _satisfied(self.satisfaction[kind]) for kind in kinds},
            "call_back": {"closed": closed, "called_back": called, "rate": share(called, closed)},
            "repetition": {"repeated": self.repeated, "rate": share(self.repeated, self.received), "links": _sorted(self.groups["links"])},
            "extensions": {name: self.events[kind] for kind, name in EXTENSIONS.items()},
            "deemed": self.events["measures_deemed_approved"],
            "breaches": _by_clause(self.groups["clock_breached"]),
            "escalations": _by_clause(self.groups["escalated"]),
            "time": _time(self.time),
        }


def figures(histories: Iterable[History], procedure: Procedure, period: Period) -> dict[str, Any]:
    """Every figure of the period, ready for JSON; times in microseconds.

    Counts are of the cases received in the period, as they stand at its end; what happened (breaches, extensions, ends …) counts
    where it happened; time is the part of each case's time that lies in the period.
    """
    tally = Tally(procedure, period)
    for history in histories:
        tally.add(history)
    return tally.figures()


def _until(history: History, until: int) -> History:
    events = [event for event in history.events if event.at < until]
    return History(history.case, history.received_at, history.channel, history.complainant, events, history.facts)


def _stand(history: History) -> _Standing:
    found = _Standing(facts=dict(history.facts))
    for event in history.events:
        data = event.data
        found.facts.update(data.get("facts", {}))
        match event.type:
            case "classified" | "reclassified":
                found.kind = data.get("kind") or found.kind
                found.class_ = data.get("class") or found.class_
                found.subject = data.get("subject") or found.subject
            case "routed" | "reassigned":
                found.department = data.get("department", "")
            case "returned":
                found.department = ""
            case "linked":
                found.links.append(data.get("as", ""))
            case "closed" | "refused" | "withdrawn":
                found.status = event.type
            case "reopened":
                found.status = "open"
    return found


def _finished(events: Sequence[Event]) -> Iterator[tuple[Event, bool]]:
    done: set[tuple[str, int]] = set()
    deemed = {_round(event) for event in events if event.type == "measures_deemed_approved"}
    for event in events:
        if event.type in ("clock_breached", "clock_stopped") and _round(event) not in done:
            done.add(_round(event))
            met = event.type == "clock_stopped" and event.data.get("in_time", True) and _round(event) not in deemed
            yield event, met


def _round(event: Event) -> tuple[str, int]:
    return event.data.get("clock", ""), event.data.get("round", 0)


def _rate(finished: int, in_time: int) -> dict[str, Any]:
    return {"finished": finished, "in_time": in_time, "rate": share(in_time, finished)}


def _satisfied(outcomes: Counter[str]) -> dict[str, Any]:
    reached = sum(outcomes[name] for name in OUTCOMES if name != "unreachable")
    return {**{name: outcomes[name] for name in OUTCOMES}, "rate": share(outcomes["satisfied"], reached)}


def _by_clause(counts: Counter[str]) -> dict[str, Any]:
    return {"count": counts.total(), "by_clause": _sorted(counts)}


def _time(lengths: Counter[tuple[str, str]]) -> dict[str, Any]:
    departments: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    both: dict[str, Counter[str]] = defaultdict(Counter)
    for (department, reason), length in lengths.items():
        departments[department] += length
        reasons[reason] += length
        both[department][reason] += length
    return {
        "elapsed": lengths.total(),
        "by_department": _sorted(departments),
        "by_reason": _sorted(reasons),
        "by_department_and_reason": {name: _sorted(counts) for name, counts in sorted(both.items())},
    }


def share(part: int, whole: int) -> float | None:
    """A rate to four places; None where there is nothing to share."""
    return round(part / whole, 4) if whole else None


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))
