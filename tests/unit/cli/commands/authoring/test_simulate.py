"""`jiesu simulate`: exit status 0, 1 or 2, and one line for unusable input."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app

HEAD = 'id: small\nversion: 1\ntitle: {zh: 小, en: Small}\nregister: {number: "S-{seq}"}\nroles: [officer]\n'
CLOCK = 'clocks: [{id: c, clause: "1", starts: registered, stops: handled, owner: officer, due: [{within: 1h}]}]\n'
RECEIVED = "complaint: {received_at: 2026-11-09T09:00:00+08:00, text: x}\n"
STEP = "steps: [{at: 2026-11-09T10:00:01+08:00, action: handle, role: officer, case: ''}]\n"


def run(folder: Path, scenario: str, procedure: str = CLOCK) -> tuple[int, str]:
    """Exit status and standard error."""
    (folder / "small.yaml").write_text(HEAD + procedure, encoding="utf-8")
    (folder / "scenario.yaml").write_text("procedure: small.yaml\n" + scenario, encoding="utf-8")
    result = CliRunner().invoke(app, ["simulate", str(folder / "scenario.yaml"), "--json"])
    return result.exit_code, result.stderr


def test_met_expectations_end_with_status_0(tmp_path: Path) -> None:
    expected = 'expect: [{event: clock_breached, clause: "1", at: 2026-11-09T02:00:00Z, times: 1}]\ncheck: {of: anything}\n'
    assert run(tmp_path, RECEIVED + STEP + expected) == (0, "")


@pytest.mark.parametrize(
    "expected", ["{event: closed}", "{event: handled, times: 2}", "{absent: handled}", "{event: handled, at: 2026-11-09T10:00:00+08:00}"]
)
def test_unmet_expectations_end_with_status_1(tmp_path: Path, expected: str) -> None:
    status, message = run(tmp_path, RECEIVED + STEP + f"expect: [{expected}]\n")
    assert status == 1
    assert "not met" in message


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("steps: [", "cannot be read"),
        (RECEIVED + RECEIVED, "complaint occurs twice"),
        (RECEIVED + "stepps: []\n", "stepps"),
        ("steps: []\n", "give either complaint or complaints"),
        (RECEIVED.replace(", text: x", ""), "complaint.text"),
        (RECEIVED.replace("+08:00", ""), "complaint.received_at"),
        (RECEIVED + STEP.replace("handle", "juggle"), "there is no action 'juggle'"),
        (RECEIVED + STEP.replace("10:00:01", "08:59:59"), "comes before the case is registered"),
        (RECEIVED + STEP.replace("case: ''", "data: {txt: x}"), "steps.0.data.txt"),
        (RECEIVED + "expect: [{event: exploded}]\n", "there is no event 'exploded'"),
        (RECEIVED + "expect: [{event: closed, colour: red}]\n", "colour is no field"),
        (RECEIVED + "expect: [{event: closed, times: often}]\n", "times is 'often'"),
        (RECEIVED + "expect: [{absent: closed, after: '2026-11-09T10:00:00'}]\n", "without an offset"),
        (RECEIVED + "parameters: {limit: 3d}\n", "there is no parameter limit"),
        (RECEIVED + "organisation: {id: o, peeple: []}\n", "organisation.peeple"),
        (RECEIVED + "organisation: none.yaml\n", "none.yaml"),
    ],
)
def test_invalid_scenario_ends_with_status_2(tmp_path: Path, scenario: str, expected: str) -> None:
    status, message = run(tmp_path, scenario)
    assert status == 2
    assert expected in message


@pytest.mark.parametrize(
    ("procedure", "expected"),
    [
        ("clocs: []\n", "did you mean clocks?"),
        (CLOCK.replace("starts", "when: facts.foo, starts"), "facts.foo"),
        (CLOCK.replace("1h", "1.5h"), "1.5h"),
        (CLOCK.replace("1h", "{date: agreed}"), "there is no fact agreed"),
        (CLOCK.replace("1h", "1h, do: [{start: d}]"), "there is no clock d"),
        (CLOCK.replace("starts", "reminders: [{before: 5m, of: 3, do: [{remind: officer}]}], starts"), "there is no due entry 3"),
        ("actions: {juggle: {by: officer}}\n", "there is no action juggle"),
        ("calendar: mars\n", "there is no calendar mars"),
        ('parameters: {limit: {clause: "7"}}\n' + CLOCK.replace("1h", "{parameter: limit}"), "clause 7: the parameter limit has no value"),
    ],
)
def test_invalid_procedure_ends_with_status_2(tmp_path: Path, procedure: str, expected: str) -> None:
    status, message = run(tmp_path, RECEIVED, procedure)
    assert status == 2
    assert expected in message
