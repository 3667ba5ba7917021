"""Recorded cases under another version of their procedure."""

import yaml

from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import open_organisation
from simulator.scenario import parse_scenario
from simulator.version_comparison import RecordedCases, version_differences

PROCEDURE = """
id: small
version: 1
title: {zh: 小, en: Small}
register: {number: "S-{seq}"}
roles: [officer]
clocks:
  - {id: handling, clause: "1", starts: registered, stops: handled, owner: officer, due: [{within: 1h}]}
"""
SCENARIO = """
procedure: small
complaint: {received_at: 2026-11-09T09:00:00+08:00, text: x}
steps: [{at: 2026-11-09T11:00:00+08:00, action: handle, role: officer}]
"""


def procedure(old: str = "", new: str = "") -> Procedure:
    return Procedure.model_validate(yaml.safe_load(PROCEDURE.replace(old, new) if old else PROCEDURE))


def differences(new: Procedure) -> list[str]:
    recorded = RecordedCases("scenario", parse_scenario(yaml.safe_load(SCENARIO), "scenario"), procedure(), open_organisation(), {})
    return [difference.describe() for difference in version_differences(recorded, new)]


def test_same_procedure_differs_in_nothing() -> None:
    assert differences(procedure()) == []


def test_longer_limit_moves_the_deadline_and_removes_the_breach() -> None:
    assert differences(procedure("within: 1h", "within: 3h")) == [
        "scenario: deadline handling: 2026-11-09T10:00:00+08:00 → 2026-11-09T12:00:00+08:00",
        "scenario: breach handling: gone, was 2026-11-09T10:00:00+08:00",
    ]


def test_new_clock_is_reported_as_new() -> None:
    second = """
  - {id: answer, clause: "2", starts: registered, stops: answered, owner: officer, due: [{within: 1d}]}
"""
    new = Procedure.model_validate(yaml.safe_load(PROCEDURE.rstrip() + second))
    assert differences(new) == ["scenario: deadline answer: new, 2026-11-11T00:00:00+08:00"]


def test_difference_has_a_json_form() -> None:
    recorded = RecordedCases("scenario", parse_scenario(yaml.safe_load(SCENARIO), "scenario"), procedure(), open_organisation(), {})
    [_, breach] = version_differences(recorded, procedure("within: 1h", "within: 3h"))
    assert breach.to_json() == {
        "source": "scenario",
        "case": "",
        "what": "breach",
        "name": "handling",
        "before": "2026-11-09T10:00:00+08:00",
        "after": None,
    }
