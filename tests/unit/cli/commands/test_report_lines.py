"""The text of `jiesu report` on findings."""

from cli.commands.records.report import report_lines
from services.sla.domain.reports.statistics import compute_statistics
from tests.unit.sla.domain.reports.test_statistics import HUNAN, SEPTEMBER
from tests.unit.sla.domain.reports.timelines import TimelineEvent, timeline

FINDINGS: list[TimelineEvent] = [
    ("2026-09-02 10:00", "cause_recorded", {"cause": "workmanship"}),
    ("2026-09-02 10:00", "liability_recorded", {"units": ["works"], "persons": ["zhang"]}),
    ("2026-09-02 10:00", "compensation_proposed", {"compensation": "cash", "amount": 1200.5}),
    ("2026-09-02 10:00", "compensation_approved", {"compensation": "cash", "amount": 1000.0}),
    ("2026-09-02 10:00", "meeting_recorded", {}),
]


def lines(*events: TimelineEvent, language: str = "en") -> list[str]:
    figures = compute_statistics([timeline("a", "2026-09-02 09:00", *events)], HUNAN, SEPTEMBER)
    report = {"figures": figures, "period": {"from": "2026-09-01T00:00:00+08:00", "to": "2026-10-01T00:00:00+08:00"}}
    return [*report_lines(report, HUNAN, language)]


def test_findings_are_summed_without_the_names_of_persons() -> None:
    text = lines(*FINDINGS)
    assert {
        "Causes found: workmanship 1",
        "Units liable: works 1",
        "Persons liable: 1",
        "Meetings: 1",
        "Compensation (yuan): proposed 1,200.50, approved 1,000.00, paid 0.00",
    } <= {*text}
    assert "zhang" not in "".join(text)
    assert "责任单位: works 1" in lines(*FINDINGS, language="zh")


def test_a_period_without_findings_has_no_line_on_them() -> None:
    assert not [line for line in lines() if line.startswith(("Causes found", "Units", "Persons", "Meetings", "Compensation"))]
