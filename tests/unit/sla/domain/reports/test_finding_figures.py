"""Figures on causes, liability, compensation, agreements, notices, calls and meetings."""

from services.sla.domain.reports.finding_figures import MOST_NAMES
from services.sla.domain.reports.statistics import compute_statistics
from tests.unit.sla.domain.reports.test_statistics import HUNAN, SEPTEMBER
from tests.unit.sla.domain.reports.timelines import timeline


def test_compensation_is_summed_by_step_and_kind_to_the_cent() -> None:
    cents = [("2026-09-03 10:00", "compensation_paid", {"compensation": "cash", "amount": 0.1}) for _ in range(3)]
    cases = [
        timeline(
            "a",
            "2026-09-02 09:00",
            ("2026-09-02 10:00", "compensation_proposed", {"compensation": "cash", "amount": 1000.0}),
            ("2026-09-02 11:00", "compensation_approved", {"compensation": "cash", "amount": 800.0}),
            *cents,
            ("2026-10-01 00:00", "compensation_paid", {"compensation": "cash", "amount": 500.0}),
        ),
        timeline("b", "2026-09-02 09:00", ("2026-09-02 10:00", "compensation_proposed", {"compensation": "waived_fees", "amount": 50.25})),
        timeline("c", "2026-09-02 09:00", ("2026-09-02 10:00", "compensation_refused", {"compensation": "replacement"})),
    ]
    assert compute_statistics(cases, HUNAN, SEPTEMBER)["compensation"] == {
        "proposed": {"count": 2, "amount": 1050.25, "by_kind": {"cash": 1000.0, "waived_fees": 50.25}},
        "approved": {"count": 1, "amount": 800.0, "by_kind": {"cash": 800.0}},
        "refused": {"count": 1, "amount": 0.0, "by_kind": {"replacement": 0.0}},
        "paid": {"count": 3, "amount": 0.3, "by_kind": {"cash": 0.3}},
    }


def test_causes_and_liable_units_count_once_a_case_and_persons_without_names() -> None:
    liable = {"units": ["works"], "persons": ["zhang", "wu"]}
    cases = [
        timeline(
            "a",
            "2026-09-02 09:00",
            ("2026-09-02 10:00", "cause_recorded", {"cause": "workmanship"}),
            ("2026-09-02 11:00", "cause_recorded", {"cause": "workmanship"}),
            ("2026-09-02 12:00", "cause_recorded", {"cause": "material"}),
            ("2026-09-02 12:00", "liability_recorded", liable),
            ("2026-09-02 13:00", "liability_recorded", {"units": ["works"], "persons": ["zhang"]}),
            ("2026-09-02 13:00", "sanction_recorded", {"sanction": "warning", "persons": ["zhang"]}),
            ("2026-09-02 13:00", "concealment_reported", {"concealment": "evasion", "units": ["works"]}),
        ),
        timeline("b", "2026-09-02 09:00", ("2026-09-02 10:00", "cause_recorded", {"cause": "workmanship"})),
    ]
    figures = compute_statistics(cases, HUNAN, SEPTEMBER)
    assert figures["causes_found"] == {"workmanship": 2, "material": 1}
    assert figures["liable"] == {"units": {"works": 1}, "persons": 2}
    assert figures["sanctions"] == {"warning": 1}
    assert figures["concealments"] == {"evasion": 1}
    assert "zhang" not in str(figures)


def test_agreements_count_the_latest_answer_of_each_household() -> None:
    answers = [("1-1", True), ("1-2", True), ("１-２", False), ("1-3", True)]
    events = [("2026-09-02 10:00", "agreement_recorded", {"household": household, "agreed": agreed}) for household, agreed in answers]
    figures = compute_statistics([timeline("a", "2026-09-02 09:00", *events)], HUNAN, SEPTEMBER)
    assert figures["agreements"] == {"agreed": 2, "disagreed": 1}


def test_calls_meetings_and_notices_count_each() -> None:
    events = [
        ("2026-09-02 10:00", "call_recorded", {"result": "busy"}),
        ("2026-09-02 10:00", "call_recorded", {"result": "reached"}),
        ("2026-09-02 10:00", "call_recorded", {"result": "reached"}),
        ("2026-09-02 10:00", "meeting_recorded", {}),
        ("2026-09-02 10:00", "notice_published", {}),
    ]
    figures = compute_statistics([timeline("a", "2026-09-02 09:00", *events)], HUNAN, SEPTEMBER)
    assert figures["calls"] == {"reached": 2, "busy": 1}
    assert figures["meetings"] == 1
    assert figures["notices"] == {"approved": 0, "confirmed": 0, "drafted": 0, "published": 1, "rejected": 0}


def test_a_report_lists_a_bounded_number_of_causes() -> None:
    events = [("2026-09-02 10:00", "cause_recorded", {"cause": f"cause {number}"}) for number in range(MOST_NAMES + 5)]
    figures = compute_statistics([timeline("a", "2026-09-02 09:00", *events)], HUNAN, SEPTEMBER)
    assert len(figures["causes_found"]) == MOST_NAMES
