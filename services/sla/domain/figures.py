"""The figures of a period: counts, rates and times of a procedure's cases, out of their events alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.sla.domain.case import Event
from services.sla.domain.possession import Segment, segments
from shared.procedures.model import Procedure

OUTCOMES = ("satisfied", "dissatisfied", "understood", "unreachable")
EXTENSIONS = {"extension_requested": "requested", "extension_granted": "granted", "extension_refused": "refused"}
ENDS = ("closed", "refused", "withdrawn")
REPEATED = ("repeat", "duplicate")


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
    called_back: str = ""
    links: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


def figures(histories: Iterable[History], procedure: Procedure, period: Period) -> dict[str, Any]:
    """Every figure of the period, ready for JSON; times in microseconds.

    Counts are of the cases received in the period, as they stand at its end; what happened (breaches, extensions, ends …) counts
    where it happened; time is the part of each case's time that lies in the period.
    """
    past = [_until(history, period.until) for history in histories if history.received_at < period.until]
    standing = {history.case: _stand(history) for history in past}
    received = [history for history in past if period.holds(history.received_at)]
    here = [standing[history.case] for history in received]
    happened = [event for history in past for event in history.events if period.holds(event.at)]
    counted = Counter(event.type for event in happened)
    return {
        "received": len(received),
        "by_kind": _counts(each.kind for each in here),
        "by_class": _counts(each.class_ for each in here),
        "by_channel": _counts(history.channel for history in received),
        "by_subject": _counts(each.subject for each in here),
        "by_department": _counts(each.department for each in here),
        "causes": _counts(name for each in here for name, value in each.facts.items() if value is True),
        "open": sum(each.status == "open" for each in standing.values()),
        **{name: counted[name] for name in (*ENDS, "reopened")},
        "timely": _timely(past, procedure, period),
        "satisfaction": _satisfaction(past, period),
        "call_back": _call_back(past, period),
        "repetition": _repetition(here),
        "extensions": {name: counted[kind] for kind, name in EXTENSIONS.items()},
        "deemed": counted["measures_deemed_approved"],
        "breaches": _by_clause(happened, "clock_breached"),
        "escalations": _by_clause(happened, "escalated"),
        "time": _time([part for history in past for part in _parts(history, period)]),
    }


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


def _timely(past: Sequence[History], procedure: Procedure, period: Period) -> dict[str, Any]:
    """Clocks met in time out of those that finished; a round finishes when it is met, or breached for the first time."""
    with_limit = {clock.id for clock in procedure.clocks if clock.due}
    total = [0, 0]
    clauses: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for history in past:
        for event, in_time in _finished(history.events):
            if period.holds(event.at) and event.data.get("clock") in with_limit:
                for counts in (total, clauses[event.data.get("clause", "")]):
                    counts[0] += 1
                    counts[1] += in_time
    return {**_rate(*total), "by_clause": {clause: _rate(*counts) for clause, counts in sorted(clauses.items())}}


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


def _satisfaction(past: Sequence[History], period: Period) -> dict[str, Any]:
    """The latest call-back of each case in the period, for all complainants and for each kind of them."""
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    for history in past:
        calls = [event.data.get("outcome", "") for event in history.events if event.type == "called_back" and period.holds(event.at)]
        if calls and calls[-1]:
            outcomes["all"][calls[-1]] += 1
            outcomes[history.complainant][calls[-1]] += 1
    return {kind: _satisfied(outcomes[kind]) for kind in ("all", *sorted(set(outcomes) - {"all"}))}


def _satisfied(outcomes: Counter[str]) -> dict[str, Any]:
    reached = sum(outcomes[name] for name in OUTCOMES if name != "unreachable")
    return {**{name: outcomes[name] for name in OUTCOMES}, "rate": share(outcomes["satisfied"], reached)}


def _call_back(past: Sequence[History], period: Period) -> dict[str, Any]:
    closed = [history for history in past if any(event.type == "closed" and period.holds(event.at) for event in history.events)]
    called = sum(any(event.type == "called_back" for event in history.events) for history in closed)
    return {"closed": len(closed), "called_back": called, "rate": share(called, len(closed))}


def _repetition(here: Sequence[_Standing]) -> dict[str, Any]:
    repeated = sum(each.facts.get("second_complaint") is True or any(link in REPEATED for link in each.links) for each in here)
    return {"repeated": repeated, "rate": share(repeated, len(here)), "links": _counts(link for each in here for link in each.links)}


def _by_clause(happened: Iterable[Event], kind: str) -> dict[str, Any]:
    clauses = _counts(event.data.get("clause", "") for event in happened if event.type == kind)
    return {"count": sum(clauses.values()), "by_clause": clauses}


def _parts(history: History, period: Period) -> list[Segment]:
    found = segments(history.received_at, history.events, period.until)
    return [part for part in (each.within(period.since, period.until) for each in found) if part.length]


def _time(parts: Sequence[Segment]) -> dict[str, Any]:
    departments: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    both: dict[str, Counter[str]] = defaultdict(Counter)
    for part in parts:
        departments[part.department] += part.length
        reasons[part.reason] += part.length
        both[part.department][part.reason] += part.length
    return {
        "elapsed": sum(part.length for part in parts),
        "by_department": _sorted(departments),
        "by_reason": _sorted(reasons),
        "by_department_and_reason": {name: _sorted(counts) for name, counts in sorted(both.items())},
    }


def share(part: int, whole: int) -> float | None:
    """A rate to four places; None where there is nothing to share."""
    return round(part / whole, 4) if whole else None


def _counts(names: Iterable[str]) -> dict[str, int]:
    return _sorted(Counter(names))


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))
