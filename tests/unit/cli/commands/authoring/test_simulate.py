"""`jiesu simulate`: exit status 0, 1 or 2, and one line for unusable input."""

from __future__ import annotations

import json
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


def test_several_files_and_folders_are_run_and_the_worst_status_counts(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(HEAD + CLOCK, encoding="utf-8")
    folder = tmp_path / "scenarios" / "deeper"
    folder.mkdir(parents=True)
    head = f"procedure: {tmp_path / 'small.yaml'}\n{RECEIVED}{STEP}"
    met, unmet, unusable = tmp_path / "met.yaml", folder / "unmet.yaml", tmp_path / "unusable.yaml"
    met.write_text(head + "expect: [{event: handled}]\n", encoding="utf-8")
    unmet.write_text(head + "expect: [{event: closed}]\n", encoding="utf-8")
    unusable.write_text(head + "stepps: []\n", encoding="utf-8")
    assert CliRunner().invoke(app, ["simulate", str(met), str(met)]).exit_code == 0
    result = CliRunner().invoke(app, ["simulate", str(met), str(folder.parent)])
    assert (result.exit_code, result.output.splitlines()[-2]) == (1, "2 scenarios, 1 not met, 0 that cannot be used")
    assert f"{unmet}: not met: expected event: closed" in result.stderr
    assert CliRunner().invoke(app, ["simulate", str(unusable), str(folder.parent)]).exit_code == 2
    rows = json.loads(CliRunner().invoke(app, ["simulate", str(met), str(folder.parent), "--json"]).stdout)
    assert {row["file"] for row in rows} == {str(met), str(unmet)}


def test_a_folder_without_scenarios_is_an_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["simulate", str(tmp_path)])
    assert (result.exit_code, "has no scenario" in result.stderr) == (2, True)


@pytest.mark.parametrize(("after", "status"), [("2026-11-09T10:00:00+08:00", 1), ("2026-11-09T10:00:01+08:00", 0)])
def test_an_instant_in_quotes_bounds_what_must_not_happen(tmp_path: Path, after: str, status: int) -> None:
    assert run(tmp_path, RECEIVED + STEP + f"expect: [{{absent: handled, after: '{after}'}}]\n")[0] == status


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ("{event: extension_granted, by: 2wd}", "by is the action's name; the event extension_granted has it as extend_by"),
        ("{event: closed, extend_by: 2wd}", "extend_by is no field of the event closed"),
        ("{event: clock_breached, claus: '1'}", "did you mean clause?"),
    ],
)
def test_a_field_that_the_event_does_not_have_is_an_error(tmp_path: Path, expected: str, message: str) -> None:
    status, text = run(tmp_path, RECEIVED + f"expect: [{expected}]\n")
    assert (status, message in text) == (2, True)
