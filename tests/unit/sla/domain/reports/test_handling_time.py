"""Handling segments: by whom a case was handled and for what it waited."""

from __future__ import annotations

import itertools

from hypothesis import HealthCheck, given, settings

from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.lifecycle.case import Event
from services.sla.domain.reports.case_timeline import CaseTimeline
from services.sla.domain.reports.handling_time import handling_segments
from services.sla.domain.reports.statistics import ReportingPeriod, compute_statistics
from shared.procedures.organisation import open_organisation
from tests.support.deadlines.shorthand import at
from tests.support.scenarios.random_scenarios import DrawnScenario, bind_with_defaults, random_scenarios
from tests.support.scenarios.recording_simulation import RecordingSimulation
from tests.unit.sla.domain.reports.timelines import ROUTED, timeline


def minutes_by_segment(case: CaseTimeline, until: str) -> list[tuple[str, str, int]]:
    segments = handling_segments(case.received_at, case.events, at(until))
    return [(segment.department, segment.reason, segment.length // 60_000_000) for segment in segments]


def test_time_is_split_by_department_and_wait_reason() -> None:
    case = timeline(
        "a",
        "2026-09-02 09:00",
        ROUTED,
        ("2026-09-02 11:00", "measures_submitted", {"needs_sign_off": True}),
        ("2026-09-02 11:30", "measures_signed_off", {}),
        ("2026-09-02 12:00", "measures_approved", {}),
        ("2026-09-02 12:15", "suspended", {"reason": "parts"}),
        ("2026-09-02 13:15", "resumed", {}),
        ("2026-09-02 14:00", "reassigned", {"department": "gardens"}),
        ("2026-09-02 15:00", "closed", {}),
    )
    assert minutes_by_segment(case, "2026-10-01 00:00") == [
        ("", "unassigned", 60),
        ("repairs", "handling", 60),
        ("repairs", "sign_off", 30),
        ("repairs", "approval", 30),
        ("repairs", "handling", 15),
        ("repairs", "suspended", 60),
        ("repairs", "handling", 45),
        ("gardens", "handling", 60),
    ]


def test_reopened_case_has_an_ended_segment_between_closing_and_reopening() -> None:
    case = timeline("a", "2026-09-02 10:00", ROUTED, ("2026-09-02 11:00", "closed", {}), ("2026-09-02 12:00", "reopened", {}))
    assert minutes_by_segment(case, "2026-09-02 12:30") == [
        ("repairs", "handling", 60),
        ("repairs", "ended", 60),
        ("repairs", "handling", 30),
    ]


def test_event_earlier_than_the_one_before_does_not_shorten_a_segment() -> None:
    case = timeline(
        "a", "2026-09-02 09:00", ("2026-09-02 12:00", "routed", {"department": "repairs"}), ("2026-09-02 11:00", "objected", {})
    )
    assert minutes_by_segment(case, "2026-09-02 13:00") == [("", "unassigned", 180), ("repairs", "ruling", 60)]


@given(random_scenarios())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_segments_leave_no_gap_and_add_up_to_the_elapsed_time(drawn: DrawnScenario) -> None:
    pack, scenario, outages = drawn
    recording = RecordingSimulation(bind_with_defaults(pack), open_organisation(), outages=outages)
    events: list[Event] = []
    recording.on_decision = lambda _name, _input, decision, _now: events.extend(decision.events)
    recording.run_cases(scenario)
    assert scenario.until is not None
    [case] = recording.cases.values()
    until = to_micros(scenario.until)
    reopened_index = max((index for index, event in enumerate(events) if event.type == "reopened"), default=0)
    ends = [event.at for event in events[reopened_index:] if event.type in ("closed", "refused", "withdrawn")]
    end = until if case.open else ends[0]  # a second end of an ended case changes nothing
    segments = handling_segments(case.received_at, events, until)
    assert sum(segment.length for segment in segments) == end - case.received_at
    assert not segments or segments[0].start == case.received_at
    assert all(segment.end == following.start for segment, following in itertools.pairwise(segments))
    middle = (case.received_at + end) // 2
    elapsed = [
        compute_statistics(
            [CaseTimeline(case.id, case.received_at, "hotline", "customer", events)], recording.bound.procedure, ReportingPeriod(*period)
        )["time"]["elapsed"]
        for period in ((0, middle), (middle, end), (0, end))
    ]
    assert elapsed[0] + elapsed[1] == elapsed[2] == end - case.received_at
