"""The figures of a period: counts, rates and times, and segments that add up to a case's elapsed time exactly."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import HealthCheck, given, settings

from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.lifecycle.case import Event
from services.sla.domain.reports.case_timeline import CaseTimeline
from services.sla.domain.reports.handling_time import elapsed_time, handling_segments
from services.sla.domain.reports.statistics import ReportingPeriod, compute_statistics
from shared.procedures.loading.loader import load_procedure
from shared.procedures.organisation import open_organisation
from tests.support.deadlines import at
from tests.support.random_scenarios import DrawnScenario, bind_with_defaults, random_scenarios
from tests.support.recording import RecordingSimulation

SEPTEMBER = ReportingPeriod(at("2026-09-01 00:00"), at("2026-10-01 00:00"))
HUNAN = load_procedure("hunan-property")


def history(
    case: str, received: str, *events: tuple[str, str, dict[str, Any]], who: str = "customer", channel: str = "hotline"
) -> CaseTimeline:
    made = [Event(kind, at(when), place, data) for place, (when, kind, data) in enumerate(events, 1)]
    return CaseTimeline(case, at(received), channel, who, made)


def stretch(history: CaseTimeline, until: str) -> list[tuple[str, str, int]]:
    found = handling_segments(history.received_at, history.events, at(until))
    return [(each.department, each.reason, each.length // 60_000_000) for each in found]


ROUTED = ("2026-09-02 10:00", "routed", {"department": "repairs"})


def test_time_is_split_by_who_had_the_case_and_what_it_waited_for() -> None:
    case = history(
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
    assert stretch(case, "2026-10-01 00:00") == [
        ("", "unassigned", 60),
        ("repairs", "handling", 60),
        ("repairs", "sign_off", 30),
        ("repairs", "approval", 30),
        ("repairs", "handling", 15),
        ("repairs", "suspended", 60),
        ("repairs", "handling", 45),
        ("gardens", "handling", 60),
    ]


def test_a_reopened_case_was_ended_in_between() -> None:
    case = history("a", "2026-09-02 10:00", ROUTED, ("2026-09-02 11:00", "closed", {}), ("2026-09-02 12:00", "reopened", {}))
    assert stretch(case, "2026-09-02 12:30") == [("repairs", "handling", 60), ("repairs", "ended", 60), ("repairs", "handling", 30)]


@given(random_scenarios())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_segments_have_no_gaps_and_add_up_to_the_elapsed_time(drawn: DrawnScenario) -> None:
    pack, scenario, outages = drawn
    recording = RecordingSimulation(bind_with_defaults(pack), open_organisation(), outages=outages)
    made: list[Event] = []
    recording.on_decision = lambda _name, _given, decision, _now: made.extend(decision.events)
    recording.run_cases(scenario)
    assert scenario.until is not None
    [case] = recording.cases.values()
    until = to_micros(scenario.until)
    found = handling_segments(case.received_at, made, until)
    reopened = max((place for place, event in enumerate(made) if event.type == "reopened"), default=0)
    ends = [event.at for event in made[reopened:] if event.type in ("closed", "refused", "withdrawn")]
    end = until if case.open else ends[0]  # an end of what has ended already changes nothing
    assert sum(each.length for each in found) == elapsed_time(found) == end - case.received_at
    assert all(one.end == other.start for one, other in itertools.pairwise(found))
    half = (case.received_at + end) // 2
    procedure = recording.bound.procedure
    told = CaseTimeline(case.id, case.received_at, "hotline", "customer", made)
    parts = [
        compute_statistics([told], procedure, ReportingPeriod(*span))["time"]["elapsed"] for span in ((0, half), (half, end), (0, end))
    ]
    assert parts[0] + parts[1] == parts[2] == end - case.received_at


def test_cases_are_counted_by_what_they_are_at_the_end_of_the_period() -> None:
    cases = [
        history(
            "a",
            "2026-09-02 09:00",
            ("2026-09-02 09:00", "classified", {"class": "valid", "kind": "complaint", "subject": "lift", "facts": {"injury": True}}),
            ROUTED,
            ("2026-10-02 09:00", "reassigned", {"department": "gardens"}),
        ),
        history("b", "2026-09-03 09:00", ("2026-09-03 09:00", "classified", {"class": "to_improve"}), channel="letter"),
        history("c", "2026-08-03 09:00", ("2026-08-03 09:00", "classified", {"class": "valid"})),
    ]
    found = compute_statistics(cases, HUNAN, SEPTEMBER)
    assert found["received"] == 2
    assert found["by_class"] == {"to_improve": 1, "valid": 1}
    assert found["by_channel"] == {"hotline": 1, "letter": 1}
    assert found["by_department"] == {"": 1, "repairs": 1}
    assert found["by_subject"] == {"": 1, "lift": 1}
    assert found["causes"] == {"injury": 1}
    assert found["open"] == 3


def clock(name: str, clause: str, **more: Any) -> dict[str, Any]:
    return {"clock": name, "clause": clause, "round": 1, **more}


def test_the_timely_rate_counts_each_finished_round_once() -> None:
    named = HUNAN.clocks[0].id
    repeating = next(each.id for each in HUNAN.clocks if not each.due)
    cases = [
        history("a", "2026-09-02 09:00", ("2026-09-02 10:00", "clock_stopped", clock(named, "3.1", in_time=True))),
        history(
            "b",
            "2026-09-02 09:00",
            ("2026-09-03 10:00", "clock_breached", clock(named, "3.1")),
            ("2026-09-04 10:00", "clock_stopped", clock(named, "3.1", in_time=False)),
        ),
        history("c", "2026-09-02 09:00", ("2026-09-02 10:00", "clock_cancelled", clock(named, "3.1"))),
        history("d", "2026-09-02 09:00", ("2026-09-02 10:00", "clock_stopped", clock(repeating, "3.6", in_time=True))),
    ]
    found = compute_statistics(cases, HUNAN, SEPTEMBER)
    assert found["timely"] == {
        "finished": 2,
        "in_time": 1,
        "rate": 0.5,
        "by_clause": {"3.1": {"finished": 2, "in_time": 1, "rate": 0.5}},
    }
    assert found["breaches"] == {"count": 1, "by_clause": {"3.1": 1}}


def test_a_deemed_approval_is_no_timely_one() -> None:
    named = HUNAN.clocks[0].id
    deemed = clock(named, "3.1")
    case = history(
        "a",
        "2026-09-02 09:00",
        ("2026-09-03 10:00", "measures_deemed_approved", deemed),
        ("2026-09-03 10:00", "clock_stopped", {**deemed, "in_time": True}),
    )
    found = compute_statistics([case], HUNAN, SEPTEMBER)
    assert (found["deemed"], found["timely"]["in_time"], found["timely"]["finished"]) == (1, 0, 1)


def test_satisfaction_of_employees_and_customers_is_told_apart() -> None:
    def called(case: str, who: str, *outcomes: str) -> CaseTimeline:
        return history(case, "2026-09-02 09:00", *(("2026-09-05 10:00", "called_back", {"outcome": each}) for each in outcomes), who=who)

    found = compute_statistics(
        [
            called("a", "customer", "dissatisfied", "satisfied"),
            called("b", "employee", "dissatisfied"),
            called("c", "customer", "unreachable"),
        ],
        HUNAN,
        SEPTEMBER,
    )["satisfaction"]
    assert found["customer"]["rate"] == 1.0
    assert found["customer"]["unreachable"] == 1
    assert found["employee"]["rate"] == 0.0
    assert found["all"]["rate"] == 0.5


def test_call_backs_repetition_and_extensions() -> None:
    cases = [
        history("a", "2026-09-02 09:00", ("2026-09-03 09:00", "called_back", {"outcome": "satisfied"}), ("2026-09-03 10:00", "closed", {})),
        history("b", "2026-09-02 09:00", ("2026-09-03 10:00", "linked", {"as": "repeat"}), ("2026-09-03 10:00", "closed", {})),
        history(
            "c",
            "2026-09-02 09:00",
            ("2026-09-03 10:00", "extension_requested", {}),
            ("2026-09-03 10:00", "extension_granted", {}),
            ("2026-09-03 10:00", "escalated", {"clause": "3.7"}),
        ),
    ]
    found = compute_statistics(cases, HUNAN, SEPTEMBER)
    assert found["call_back"] == {"closed": 2, "called_back": 1, "rate": 0.5}
    assert found["repetition"] == {"repeated": 1, "rate": 0.3333, "links": {"repeat": 1}}
    assert found["extensions"] == {"requested": 1, "granted": 1, "refused": 0}
    assert found["escalations"] == {"count": 1, "by_clause": {"3.7": 1}}
    assert found["closed"] == 2


def test_an_empty_period_has_no_rates() -> None:
    found = compute_statistics([], HUNAN, SEPTEMBER)
    assert found["received"] == 0
    assert found["timely"]["rate"] is None
    assert found["time"]["elapsed"] == 0
