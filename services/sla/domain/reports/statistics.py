"""Computes the statistics of a period (counts, rates, times) from the timelines of a procedure's cases."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.sla.domain.lifecycle.case import Event
from services.sla.domain.lifecycle.defaults.call_backs import rating_outcome
from services.sla.domain.reports.case_progress import CaseAtPeriodEnd, case_at_period_end, finished_runs
from services.sla.domain.reports.case_timeline import CaseTimeline
from services.sla.domain.reports.finding_figures import FindingFigures
from services.sla.domain.reports.handling_time import ENDED, handling_segments
from shared.procedures.model.procedure import Procedure

CALL_BACK_OUTCOMES = ("satisfied", "dissatisfied", "understood", "unreachable")
EXTENSION_EVENTS = {"extension_requested": "requested", "extension_granted": "granted", "extension_refused": "refused"}
END_EVENTS = ("closed", "refused", "withdrawn")
REPEAT_LINKS = ("repeat",)
"""Kinds of links that make a case count as repeated."""
GROUPINGS = ("by_kind", "by_class", "by_channel", "by_subject", "by_department", "causes")
"""Groups of the received cases; `causes` are the facts that are true."""


@dataclass(frozen=True, slots=True)
class ReportingPeriod:
    """A half-open interval in UTC microseconds."""

    since: int
    until: int

    def contains(self, at: int) -> bool:
        """Whether an instant lies in the period."""
        return self.since <= at < self.until


@dataclass(slots=True)
class StatisticsCollector:
    """Adds up the statistics of a period case by case, so that its memory does not grow with the number of cases.

    A case received in the period counts by its attributes at the period's end. An event (breach, extension, end …) counts in the
    period in which it happened, and so does each part of a case's handling time.
    """

    procedure: Procedure
    period: ReportingPeriod
    received: int = 0
    open_cases: int = 0
    repeats: int = 0
    call_backs: Counter[str] = field(default_factory=Counter)
    event_counts: Counter[str] = field(default_factory=Counter)
    group_counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    # Customers and employees apart, as grievance-system's evaluation asks.
    outcomes_by_complainant: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    finished_by_clause: Counter[str] = field(default_factory=Counter)
    in_time_by_clause: Counter[str] = field(default_factory=Counter)
    time_spent: Counter[tuple[str, str]] = field(default_factory=Counter)
    findings: FindingFigures = field(default_factory=FindingFigures)

    def add(self, timeline: CaseTimeline) -> None:
        """Add a case; one received after the period is ignored."""
        if timeline.received_at >= self.period.until:
            return
        timeline = timeline.before(self.period.until)
        period_events = [event for event in timeline.events if self.period.contains(event.at)]
        case = case_at_period_end(timeline)
        self.open_cases += case.status == "open" and "duplicate" not in case.links
        if self.period.contains(timeline.received_at):
            self._count_received(timeline, case)
        self._count_events(period_events)
        self._count_finished_runs(timeline)
        self._count_call_backs(timeline, period_events)
        self._count_time(timeline)
        self.findings.add(period_events)

    def _count_received(self, timeline: CaseTimeline, case: CaseAtPeriodEnd) -> None:
        if "duplicate" in case.links:
            # The lead is counted: a complaint that came twice is one.
            self.group_counts["links"].update(case.links)
            return
        self.received += 1
        self.group_counts["by_kind"][case.kind] += 1
        self.group_counts["by_class"][case.class_] += 1
        self.group_counts["by_subject"][case.subject] += 1
        self.group_counts["by_department"][case.department] += 1
        self.group_counts["by_channel"][timeline.channel] += 1
        self.group_counts["causes"].update(name for name, value in case.facts.items() if value is True)
        self.group_counts["links"].update(case.links)
        self.repeats += case.facts.get("second_complaint") is True or any(link in REPEAT_LINKS for link in case.links)

    def _count_events(self, period_events: Sequence[Event]) -> None:
        self.event_counts.update(event.type for event in period_events)
        for event in period_events:
            if event.type in ("clock_breached", "escalated") and not event.data.get("same_delay"):
                group = "known_late" if event.data.get("known_at") is not None else event.type
                self.group_counts[group][event.data.get("clause", "")] += 1

    def _count_finished_runs(self, timeline: CaseTimeline) -> None:
        # A clock that only repeats has no limit that could be met.
        clocks_with_limit = {clock.id for clock in self.procedure.clocks if clock.due}
        for event, in_time in finished_runs(timeline.events):
            if self.period.contains(event.at) and event.data.get("clock") in clocks_with_limit:
                clause = event.data.get("clause", "")
                self.finished_by_clause[clause] += 1
                self.in_time_by_clause[clause] += in_time

    def _count_call_backs(self, timeline: CaseTimeline, period_events: Sequence[Event]) -> None:
        outcomes = [outcome for event in period_events if (outcome := _stated_outcome(event, self.procedure))]
        if outcomes:
            # The latest counts: who was dissatisfied is called back again after the next handling (hunan-property 3.8).
            self.outcomes_by_complainant["all"][outcomes[-1]] += 1
            self.outcomes_by_complainant[timeline.complainant_kind][outcomes[-1]] += 1
        if any(event.type == "closed" for event in period_events):
            self.call_backs["closed"] += 1
            self.call_backs["called_back"] += any(event.type == "called_back" for event in timeline.events)

    def _count_time(self, timeline: CaseTimeline) -> None:
        for segment in handling_segments(timeline.received_at, timeline.events, self.period.until):
            if segment.reason == ENDED:
                # A period that is over cannot know that the case is reopened later: ended time counts in none.
                continue
            length = segment.clip(self.period.since, self.period.until).length
            if length:
                self.time_spent[segment.department, segment.reason] += length

    def to_report(self) -> dict[str, Any]:
        """Return the statistics as JSON-ready data; times in microseconds, a rate without cases is None."""
        complainant_kinds = ("all", *sorted(set(self.outcomes_by_complainant) - {"all"}))
        closed, called_back = self.call_backs["closed"], self.call_backs["called_back"]
        return {
            "received": self.received,
            **{name: _most_frequent_first(self.group_counts[name]) for name in GROUPINGS},
            "open": self.open_cases,
            **{name: self.event_counts[name] for name in (*END_EVENTS, "reopened")},
            "timely": self._timeliness(),
            "satisfaction": {kind: _satisfaction(self.outcomes_by_complainant[kind]) for kind in complainant_kinds},
            "call_back": {"closed": closed, "called_back": called_back, "rate": _ratio(called_back, closed)},
            "repetition": {
                "repeated": self.repeats,
                "rate": _ratio(self.repeats, self.received),
                "links": _most_frequent_first(self.group_counts["links"]),
            },
            "extensions": {name: self.event_counts[event_type] for event_type, name in EXTENSION_EVENTS.items()},
            "urgings": self.event_counts["urged"],
            "deemed": self.event_counts["measures_deemed_approved"],
            "breaches": _by_clause(self.group_counts["clock_breached"]),
            "known_late": _by_clause(self.group_counts["known_late"]),
            "escalations": _by_clause(self.group_counts["escalated"]),
            **self.findings.to_report(),
            "time": _time_by_department(self.time_spent),
        }

    def _timeliness(self) -> dict[str, Any]:
        clauses = {clause: _rate(finished, self.in_time_by_clause[clause]) for clause, finished in sorted(self.finished_by_clause.items())}
        return {**_rate(self.finished_by_clause.total(), self.in_time_by_clause.total()), "by_clause": clauses}


def compute_statistics(timelines: Iterable[CaseTimeline], procedure: Procedure, period: ReportingPeriod) -> dict[str, Any]:
    """Compute the statistics of a period from all cases at once; see `StatisticsCollector`."""
    collector = StatisticsCollector(procedure, period)
    for timeline in timelines:
        collector.add(timeline)
    return collector.to_report()


def _rate(finished: int, in_time: int) -> dict[str, Any]:
    return {"finished": finished, "in_time": in_time, "rate": _ratio(in_time, finished)}


def _stated_outcome(event: Event, procedure: Procedure) -> str:
    """The outcome that a call-back had or that a rating states; empty for other events."""
    if event.type == "rated":
        return rating_outcome(event.data["score"], procedure)
    return event.data.get("outcome", "") if event.type == "called_back" else ""


def _satisfaction(outcomes: Counter[str]) -> dict[str, Any]:
    """Counts per outcome, and the share of the satisfied among those who were reached."""
    reached = sum(outcomes[name] for name in CALL_BACK_OUTCOMES if name != "unreachable")
    return {**{name: outcomes[name] for name in CALL_BACK_OUTCOMES}, "rate": _ratio(outcomes["satisfied"], reached)}


def _by_clause(counts: Counter[str]) -> dict[str, Any]:
    return {"count": counts.total(), "by_clause": _most_frequent_first(counts)}


def _time_by_department(time_spent: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    by_department: Counter[str] = Counter()
    by_reason: Counter[str] = Counter()
    by_both: dict[str, Counter[str]] = defaultdict(Counter)
    for (department, reason), length in time_spent.items():
        by_department[department] += length
        by_reason[reason] += length
        by_both[department][reason] += length
    return {
        "elapsed": by_department.total(),
        "by_department": _most_frequent_first(by_department),
        "by_reason": _most_frequent_first(by_reason),
        "by_department_and_reason": {name: _most_frequent_first(counts) for name, counts in sorted(by_both.items())},
    }


def _ratio(numerator: int, denominator: int) -> float | None:
    """Return a rate rounded to four places; None if the denominator is 0."""
    return round(numerator / denominator, 4) if denominator else None


def _most_frequent_first(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
