"""The figures of a period: counts, rates and times of a procedure's cases, out of their events alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.sla.domain.lifecycle.case import Event
from services.sla.domain.reports.case_progress import CaseAtPeriodEnd, case_at_period_end, finished_runs, truncate
from services.sla.domain.reports.case_timeline import CaseTimeline
from services.sla.domain.reports.handling_time import handling_segments
from shared.procedures.model.procedure import Procedure

CALL_BACK_OUTCOMES = ("satisfied", "dissatisfied", "understood", "unreachable")
EXTENSION_EVENTS = {"extension_requested": "requested", "extension_granted": "granted", "extension_refused": "refused"}
END_EVENTS = ("closed", "refused", "withdrawn")
REPEAT_LINKS = ("repeat", "duplicate")
GROUPINGS = ("by_kind", "by_class", "by_channel", "by_subject", "by_department", "causes")


@dataclass(frozen=True, slots=True)
class ReportingPeriod:
    """From (inclusive) and to (exclusive), in microseconds."""

    since: int
    until: int

    def contains(self, at: int) -> bool:
        """Whether an instant lies in the period."""
        return self.since <= at < self.until


@dataclass(slots=True)
class StatisticsCollector:
    """Figures in the making: cases are added one by one, so that no period is too large to be counted."""

    procedure: Procedure
    period: ReportingPeriod
    received: int = 0
    open_cases: int = 0
    repeats: int = 0
    call_backs: Counter[str] = field(default_factory=Counter)
    event_counts: Counter[str] = field(default_factory=Counter)
    group_counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    outcomes_by_complainant: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    finished_by_clause: Counter[str] = field(default_factory=Counter)
    in_time_by_clause: Counter[str] = field(default_factory=Counter)
    time_spent: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, timeline: CaseTimeline) -> None:
        """Count a case."""
        if timeline.received_at >= self.period.until:
            return
        history = truncate(timeline, self.period.until)
        happened = [event for event in history.events if self.period.contains(event.at)]
        standing = case_at_period_end(history)
        self.open_cases += standing.status == "open"
        if self.period.contains(history.received_at):
            self._count_received(history, standing)
        self._count_events(happened)
        self._count_finished(history)
        self._count_call_backs(history, happened)
        for part in handling_segments(history.received_at, history.events, self.period.until):
            length = part.clip(self.period.since, self.period.until).length
            if length:
                self.time_spent[part.department, part.reason] += length

    def _count_received(self, history: CaseTimeline, standing: CaseAtPeriodEnd) -> None:
        self.received += 1
        named = {"by_kind": standing.kind, "by_class": standing.class_, "by_subject": standing.subject}
        for name, value in (named | {"by_department": standing.department, "by_channel": history.channel}).items():
            self.group_counts[name][value] += 1
        self.group_counts["causes"].update(name for name, value in standing.facts.items() if value is True)
        self.group_counts["links"].update(standing.links)
        self.repeats += standing.facts.get("second_complaint") is True or any(link in REPEAT_LINKS for link in standing.links)

    def _count_events(self, happened: Sequence[Event]) -> None:
        self.event_counts.update(event.type for event in happened)
        for event in happened:
            if event.type in ("clock_breached", "escalated"):
                self.group_counts[event.type][event.data.get("clause", "")] += 1

    def _count_finished(self, history: CaseTimeline) -> None:
        with_limit = {clock.id for clock in self.procedure.clocks if clock.due}
        for event, in_time in finished_runs(history.events):
            if self.period.contains(event.at) and event.data.get("clock") in with_limit:
                clause = event.data.get("clause", "")
                self.finished_by_clause[clause] += 1
                self.in_time_by_clause[clause] += in_time

    def _count_call_backs(self, history: CaseTimeline, happened: Sequence[Event]) -> None:
        calls = [outcome for event in happened if event.type == "called_back" and (outcome := event.data.get("outcome"))]
        for kind in ("all", history.complainant_kind) if calls else ():
            self.outcomes_by_complainant[kind][calls[-1]] += 1
        if any(event.type == "closed" for event in happened):
            self.call_backs["closed"] += 1
            self.call_backs["called_back"] += any(event.type == "called_back" for event in history.events)

    def to_report(self) -> dict[str, Any]:
        """What was counted, ready for JSON; times in microseconds, rates None where there is nothing to share."""
        kinds = ("all", *sorted(set(self.outcomes_by_complainant) - {"all"}))
        clauses = {clause: _rate(number, self.in_time_by_clause[clause]) for clause, number in sorted(self.finished_by_clause.items())}
        closed, called = self.call_backs["closed"], self.call_backs["called_back"]
        return {
            "received": self.received,
            **{name: _most_frequent_first(self.group_counts[name]) for name in GROUPINGS},
            "open": self.open_cases,
            **{name: self.event_counts[name] for name in (*END_EVENTS, "reopened")},
            "timely": {**_rate(self.finished_by_clause.total(), self.in_time_by_clause.total()), "by_clause": clauses},
            "satisfaction": {kind: _satisfaction(self.outcomes_by_complainant[kind]) for kind in kinds},
            "call_back": {"closed": closed, "called_back": called, "rate": ratio(called, closed)},
            "repetition": {
                "repeated": self.repeats,
                "rate": ratio(self.repeats, self.received),
                "links": _most_frequent_first(self.group_counts["links"]),
            },
            "extensions": {name: self.event_counts[kind] for kind, name in EXTENSION_EVENTS.items()},
            "deemed": self.event_counts["measures_deemed_approved"],
            "breaches": _by_clause(self.group_counts["clock_breached"]),
            "escalations": _by_clause(self.group_counts["escalated"]),
            "time": _time_by_department(self.time_spent),
        }


def compute_statistics(timelines: Iterable[CaseTimeline], procedure: Procedure, period: ReportingPeriod) -> dict[str, Any]:
    """Every figure of the period, ready for JSON; times in microseconds.

    Counts are of the cases received in the period, as they stand at its end; what happened (breaches, extensions, ends …) counts
    where it happened; time is the part of each case's time that lies in the period.
    """
    tally = StatisticsCollector(procedure, period)
    for history in timelines:
        tally.add(history)
    return tally.to_report()


def _rate(finished: int, in_time: int) -> dict[str, Any]:
    return {"finished": finished, "in_time": in_time, "rate": ratio(in_time, finished)}


def _satisfaction(outcomes: Counter[str]) -> dict[str, Any]:
    reached = sum(outcomes[name] for name in CALL_BACK_OUTCOMES if name != "unreachable")
    return {**{name: outcomes[name] for name in CALL_BACK_OUTCOMES}, "rate": ratio(outcomes["satisfied"], reached)}


def _by_clause(counts: Counter[str]) -> dict[str, Any]:
    return {"count": counts.total(), "by_clause": _most_frequent_first(counts)}


def _time_by_department(lengths: Counter[tuple[str, str]]) -> dict[str, Any]:
    departments: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    both: dict[str, Counter[str]] = defaultdict(Counter)
    for (department, reason), length in lengths.items():
        departments[department] += length
        reasons[reason] += length
        both[department][reason] += length
    return {
        "elapsed": lengths.total(),
        "by_department": _most_frequent_first(departments),
        "by_reason": _most_frequent_first(reasons),
        "by_department_and_reason": {name: _most_frequent_first(counts) for name, counts in sorted(both.items())},
    }


def ratio(numerator: int, denominator: int) -> float | None:
    """A rate to four places; None where there is nothing to share."""
    return round(numerator / denominator, 4) if denominator else None


def _most_frequent_first(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))
