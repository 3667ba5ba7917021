"""Alertmanager takes its configuration, routes each severity and department, and notifies causes without their effects."""

import subprocess
from pathlib import Path

import pytest
import yaml

from cli.demo.demo_files import ORGANISATION_FILE
from shared.procedures.loading.loader import load_organisation
from tests.support.monitoring.alertmanager import CONFIGURATION, running_alertmanager
from tests.support.monitoring.programs import program
from tests.support.monitoring.prometheus import rule_files
from tests.support.waiting import wait_for

DEPARTMENTS = [department.id for department in load_organisation(ORGANISATION_FILE).departments]
RECEIVERS = {"page": "on-call", "ticket": "operations"}


@pytest.fixture(scope="session")
def amtool() -> Path:
    return program("amtool")


def route(amtool: Path, **labels: str) -> str:
    """The receivers of an alert with these labels, by amtool."""
    command = [str(amtool), "config", "routes", "test", f"--config.file={CONFIGURATION}"]
    command += [f"{name}={value}" for name, value in labels.items()]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_configuration_is_valid(amtool: Path) -> None:
    result = subprocess.run([amtool, "check-config", CONFIGURATION], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 templates" in result.stdout


@pytest.mark.parametrize(("severity", "receiver"), RECEIVERS.items())
def test_each_severity_has_its_receiver(amtool: Path, severity: str, receiver: str) -> None:
    assert route(amtool, alertname="OutboxStuck", job="sla", severity=severity) == receiver


@pytest.mark.parametrize("severity", RECEIVERS)
def test_each_department_learns_of_its_own_work_beside_the_operators(amtool: Path, severity: str) -> None:
    routed = {department: route(amtool, department=department, severity=severity) for department in DEPARTMENTS}
    assert routed == dict.fromkeys(DEPARTMENTS, f"department,{RECEIVERS[severity]}")


def test_an_alert_without_a_severity_goes_to_the_operators(amtool: Path) -> None:
    assert route(amtool, alertname="SomethingElse") == "operations"


def test_every_alert_that_inhibits_or_is_inhibited_exists() -> None:
    alerts = {
        rule["alert"]
        for path in rule_files()
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    rules = yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))["inhibit_rules"]
    matchers = [matcher for rule in rules for matcher in (*rule["source_matchers"], *rule["target_matchers"])]
    named = {name for matcher in matchers for name in matcher.partition('"')[2].strip('"').split("|")}
    assert named - alerts == set()


async def test_a_cause_inhibits_its_effects_and_nothing_else(tmp_path: Path) -> None:
    fired = [
        {"alertname": "DatabaseDown", "job": "sla", "severity": "page"},
        {"alertname": "TimersBehind", "job": "sla", "severity": "page"},
        {"alertname": "OutboxStuck", "job": "triage", "severity": "page"},
        {"alertname": "BreakerOpen", "job": "triage", "severity": "page"},
        {"alertname": "CasesParked", "job": "triage", "severity": "page"},
        {"alertname": "ProviderRefusesUs", "channel": "sms", "severity": "page"},
        {"alertname": "MessagesFail", "channel": "sms", "severity": "ticket"},
        {"alertname": "MessagesNotSent", "channel": "email", "severity": "page"},
        {"alertname": "ServiceDown", "job": "notify", "severity": "page"},
        {"alertname": "DeadLetters", "job": "notify", "severity": "ticket"},
    ]
    with running_alertmanager(tmp_path) as alertmanager:
        alertmanager.fire(fired)
        # Alertmanager asks about inhibition when it lists, or is about to notify.
        await wait_for(lambda: len(alertmanager.alerts()) == len(fired), what="all alerts listed")
        alerts = alertmanager.alerts()
    inhibited = {name for name, alert in alerts.items() if alert["status"]["inhibitedBy"]}
    assert inhibited == {"TimersBehind", "CasesParked", "MessagesFail", "DeadLetters"}
    assert [receiver["name"] for receiver in alerts["DatabaseDown"]["receivers"]] == ["on-call"]
