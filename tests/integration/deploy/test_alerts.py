"""The alerts about triage and reviews fire when they should and are silent otherwise, by Prometheus's own promtool."""

import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.support.repository import PROJECT

ALERTS = PROJECT / "deploy/prometheus/alerts.yml"
INTERVAL = "5m"  # between samples: Prometheus takes a series for gone after five minutes


class AlertCase(NamedTuple):
    """Series with which an alert fires after `at` with these labels and this value, and series with which it does not."""

    at: str
    fires: dict[str, str]
    silent: dict[str, str]
    labels: dict[str, str] = {}
    value: str = ""
    interval: str = INTERVAL


_SURE = 'jiesu_triage_reviews_total{procedure="p", reason="confidence"}'
_AUDIT = 'jiesu_triage_reviews_total{procedure="p", reason="audit"}'
CASES = {
    "ClassifierUnsure": AlertCase(
        "336h",
        # One review in eleven for lack of confidence, on the last day one in two.
        {_SURE: "0+1x312 322+10x24", _AUDIT: "0+10x336"},
        {_SURE: "0+1x336", _AUDIT: "0+10x336"},
        {"procedure": "p"},
        interval="1h",
    ),
    "ClassifierWordsDrift": AlertCase("7h", {"jiesu_triage_word_drift_ratio": "0.2x84"}, {"jiesu_triage_word_drift_ratio": "0.1x84"}),
    "ReviewsWait": AlertCase("1h", {"jiesu_reviews_oldest_age_seconds": "86401x12"}, {"jiesu_reviews_oldest_age_seconds": "86399x12"}),
    "ReviewsPileUp": AlertCase(
        "2h",
        {'jiesu_reviews_open{procedure="p"}': "300x24", 'jiesu_reviews_open{procedure="q"}': "201x24"},
        {'jiesu_reviews_open{procedure="p"}': "300x24", 'jiesu_reviews_open{procedure="q"}': "200x24"},
        value="501",
    ),
    "ClassifierInaccurate": AlertCase(
        "7h",
        {'jiesu_reviews_agreed_ratio{reason="audit"}': "0.85x84"},
        # What was unsure anyway is corrected more often.
        {'jiesu_reviews_agreed_ratio{reason="audit"}': "0.95x84", 'jiesu_reviews_agreed_ratio{reason="confidence"}': "0.5x84"},
    ),
    "ClassifierMiscalibrated": AlertCase(
        "7h", {"jiesu_reviews_calibration_error_ratio": "0.0625x84"}, {"jiesu_reviews_calibration_error_ratio": "0.04x84"}, value="0.0625"
    ),
    "ClassifierNotReplaced": AlertCase(
        "1h", {"jiesu_triage_model_failures_total": "0x11 1x3"}, {"jiesu_triage_model_failures_total": "1x14"}
    ),
    "RecountsWaiting": AlertCase(
        "1h",
        {'jiesu_triage_recounts_waiting{procedure="p"}': "1001x12"},
        {'jiesu_triage_recounts_waiting{procedure="p"}': "1000x12"},
        {"procedure": "p"},
    ),
}


def rules() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def test_alerts_of_triage_and_reviews_are_covered() -> None:
    about = ("jiesu_triage_", "jiesu_reviews_")
    concerned = {name for name, rule in rules().items() if any(metric in rule["expr"] for metric in about)}
    # Failed conditions are sla's as well, and older than the classifier.
    assert concerned - {"RuleCannotBeEvaluated"} == set(CASES)


def test_alerts_fire_when_they_should_and_only_then(promtool: Path, tmp_path: Path) -> None:
    tests = [test for name, case in CASES.items() for test in (_test(name, case, fires=True), _test(name, case, fires=False))]
    content = {"rule_files": [str(ALERTS)], "evaluation_interval": "1h", "tests": tests}
    file = tmp_path / "alerts_test.yml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    result = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def _test(name: str, case: AlertCase, *, fires: bool) -> dict[str, Any]:
    rule = rules()[name]
    series = case.fires if fires else case.silent
    summary = rule["annotations"]["summary"].replace("{{ $value }}", case.value)
    for label, value in case.labels.items():
        summary = summary.replace(f"{{{{ $labels.{label} }}}}", value)
    expected = [{"exp_labels": rule["labels"] | case.labels, "exp_annotations": {"summary": summary}}]
    return {
        "interval": case.interval,
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"eval_time": case.at, "alertname": name, "exp_alerts": expected if fires else []}],
    }
