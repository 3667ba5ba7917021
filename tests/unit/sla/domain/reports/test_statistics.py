"""Statistics of a period: counts, rates and times."""

from __future__ import annotations

from typing import Any

from services.sla.domain.reports.case_timeline import CaseTimeline
from services.sla.domain.reports.statistics import ReportingPeriod, compute_statistics
from shared.procedures.loading.loader import load_procedure
from tests.support.deadlines.shorthand import at
from tests.unit.sla.domain.reports.timelines import ROUTED, timeline

SEPTEMBER = ReportingPeriod(at("2026-09-01 00:00"), at("2026-10-01 00:00"))
HUNAN = load_procedure("hunan-property")


def test_received_cases_count_by_their_attributes_at_the_end_of_the_period() -> None:
    cases = [
        timeline(
            "a",
            "2026-09-02 09:00",
            ("2026-09-02 09:00", "classified", {"class": "valid", "kind": "complaint", "subject": "lift", "facts": {"injury": True}}),
            ROUTED,
            ("2026-10-02 09:00", "reassigned", {"department": "gardens"}),
        ),
        timeline("b", "2026-09-03 09:00", ("2026-09-03 09:00", "classified", {"class": "to_improve"}), channel="letter"),
        timeline("c", "2026-08-03 09:00", ("2026-08-03 09:00", "classified", {"class": "valid"})),
    ]
    statistics = compute_statistics(cases, HUNAN, SEPTEMBER)
    assert statistics["received"] == 2
    assert statistics["by_class"] == {"to_improve": 1, "valid": 1}
    assert statistics["by_channel"] == {"hotline": 1, "letter": 1}
    assert statistics["by_department"] == {"": 1, "repairs": 1}
    assert statistics["by_subject"] == {"": 1, "lift": 1}
    assert statistics["causes"] == {"injury": 1}
    assert statistics["open"] == 3


def clock_data(clock_id: str, clause: str, **fields: Any) -> dict[str, Any]:
    return {"clock": clock_id, "clause": clause, "round": 1, **fields}


def test_timely_rate_counts_each_finished_clock_run_once_and_ignores_clocks_without_a_limit() -> None:
    limited = HUNAN.clocks[0].id
    repeating = next(clock.id for clock in HUNAN.clocks if not clock.due)
    cases = [
        timeline("a", "2026-09-02 09:00", ("2026-09-02 10:00", "clock_stopped", clock_data(limited, "3.1", in_time=True))),
        timeline(
            "b",
            "2026-09-02 09:00",
            ("2026-09-03 10:00", "clock_breached", clock_data(limited, "3.1")),
            ("2026-09-04 10:00", "clock_stopped", clock_data(limited, "3.1", in_time=False)),
        ),
        timeline("c", "2026-09-02 09:00", ("2026-09-02 10:00", "clock_cancelled", clock_data(limited, "3.1"))),
        timeline("d", "2026-09-02 09:00", ("2026-09-02 10:00", "clock_stopped", clock_data(repeating, "3.6", in_time=True))),
    ]
    statistics = compute_statistics(cases, HUNAN, SEPTEMBER)
    assert statistics["timely"] == {
        "finished": 2,
        "in_time": 1,
        "rate": 0.5,
        "by_clause": {"3.1": {"finished": 2, "in_time": 1, "rate": 0.5}},
    }
    assert statistics["breaches"] == {"count": 1, "by_clause": {"3.1": 1}}


def test_deemed_approval_counts_as_finished_but_not_in_time() -> None:
    limited = HUNAN.clocks[0].id
    deemed = clock_data(limited, "3.1")
    case = timeline(
        "a",
        "2026-09-02 09:00",
        ("2026-09-03 10:00", "measures_deemed_approved", deemed),
        ("2026-09-03 10:00", "clock_stopped", {**deemed, "in_time": True}),
    )
    statistics = compute_statistics([case], HUNAN, SEPTEMBER)
    assert (statistics["deemed"], statistics["timely"]["in_time"], statistics["timely"]["finished"]) == (1, 0, 1)


def test_satisfaction_is_split_by_complainant_kind_and_uses_the_last_call_back() -> None:
    def called(case: str, complainant_kind: str, *outcomes: str) -> CaseTimeline:
        calls = (("2026-09-05 10:00", "called_back", {"outcome": outcome}) for outcome in outcomes)
        return timeline(case, "2026-09-02 09:00", *calls, complainant_kind=complainant_kind)

    satisfaction = compute_statistics(
        [
            called("a", "customer", "dissatisfied", "satisfied"),
            called("b", "employee", "dissatisfied"),
            called("c", "customer", "unreachable"),
        ],
        HUNAN,
        SEPTEMBER,
    )["satisfaction"]
    assert satisfaction["customer"]["rate"] == 1.0
    assert satisfaction["customer"]["unreachable"] == 1
    assert satisfaction["employee"]["rate"] == 0.0
    assert satisfaction["all"]["rate"] == 0.5


def test_a_rating_counts_as_the_outcome_that_it_states_and_the_latest_one_counts() -> None:
    def rated(case: str, *scores: int) -> CaseTimeline:
        ratings = (("2026-09-05 10:00", "rated", {"score": score}) for score in scores)
        return timeline(case, "2026-09-02 09:00", *ratings)

    satisfaction = compute_statistics([rated("a", 0, 60), rated("b", 59)], HUNAN, SEPTEMBER)["satisfaction"]["all"]
    assert (satisfaction["satisfied"], satisfaction["dissatisfied"], satisfaction["rate"]) == (1, 1, 0.5)


def test_call_backs_repetitions_and_extensions_are_counted() -> None:
    cases = [
        timeline(
            "a", "2026-09-02 09:00", ("2026-09-03 09:00", "called_back", {"outcome": "satisfied"}), ("2026-09-03 10:00", "closed", {})
        ),
        timeline("b", "2026-09-02 09:00", ("2026-09-03 10:00", "linked", {"as": "repeat"}), ("2026-09-03 10:00", "closed", {})),
        timeline(
            "c",
            "2026-09-02 09:00",
            ("2026-09-03 10:00", "extension_requested", {}),
            ("2026-09-03 10:00", "extension_granted", {}),
            ("2026-09-03 10:00", "escalated", {"clause": "3.7"}),
        ),
    ]
    statistics = compute_statistics(cases, HUNAN, SEPTEMBER)
    assert statistics["call_back"] == {"closed": 2, "called_back": 1, "rate": 0.5}
    assert statistics["repetition"] == {"repeated": 1, "rate": 0.3333, "links": {"repeat": 1}}
    assert statistics["extensions"] == {"requested": 1, "granted": 1, "refused": 0}
    assert statistics["escalations"] == {"count": 1, "by_clause": {"3.7": 1}}
    assert statistics["closed"] == 2


def test_period_without_cases_has_no_rates() -> None:
    statistics = compute_statistics([], HUNAN, SEPTEMBER)
    assert statistics["received"] == 0
    assert statistics["timely"]["rate"] is None
    assert statistics["time"]["elapsed"] == 0
