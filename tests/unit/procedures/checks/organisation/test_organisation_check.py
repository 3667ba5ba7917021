"""An organisation file is checked as the services use it."""

from pathlib import Path

import pytest

from cli.demo.demo_files import ORGANISATION_FILE
from shared.procedures.checks.organisation.organisation_check import check_organisation, load_checked_organisation
from shared.procedures.model.procedure_error import ProcedureError


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("id: x\npeople: [", 3, "is not valid YAML"),
        ("id: x\npeopel: []\n", 2, "did you mean people?"),
        ("id: x\nsources:\n  - {id: s, procedure: hunan-nowhere}\n", 3, "there is no such procedure"),
        ("id: x\nsources:\n  - {id: s, procedure: hunan-property, version: 99}\n", 3, "there is no version 99"),
        ("id: x\nsources:\n  - {id: s, procedure: telecom-urgent, parameters: {ordinary_limit: 99}}\n", 3, "ordinary_limit"),
        ("id: x\nsources:\n  - {id: s, procedure: hunan-property, key_sha256: [zz]}\n", 3, "key_sha256 must be 64 hexadecimal digits"),
        ("id: x\npeople:\n  - {id: a, token_sha256: zz}\n", 3, "token_sha256 must be 64 hexadecimal digits"),
        ("id: x\npeople:\n  - {id: a, keys: {k: zz}}\n", 3, "keys.k must be the base64 of a raw Ed25519 public key"),
        ("id: x\npeople:\n  - {id: a}\n  - {id: a}\n", 4, "people has a twice"),
        ("id: x\ndepartments:\n  - {id: d, calendar: c}\n", 3, "there is no calendar c; the organisation has default"),
        ("id: x\ncalendars:\n  - {id: c}\n", 3, "version"),
        ("id: x\ndepartments: [{id: d}]\nrouting:\n  - {when: 'facts.', department: d}\n", 4, "when: "),
        ("id: x\ndepartments: [{id: d}]\nsources:\n  - {id: s, procedure: hunan-property, department: e}\n", 4, "no department e"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    path = tmp_path / "organisation.yaml"
    path.write_text(text, "utf-8")
    problems = [problem for problem in check_organisation(path) if problem.level == "error"]
    assert [problem.line for problem in problems] == [line]
    assert message in problems[0].message
    with pytest.raises(ProcedureError):
        load_checked_organisation(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    [problem] = check_organisation(tmp_path / "none.yaml")
    assert "cannot be read" in problem.message


def test_the_organisation_of_the_demo_has_no_errors_and_names_the_role_that_nobody_holds() -> None:
    assert [(problem.level, "role manager" in problem.message) for problem in check_organisation(ORGANISATION_FILE)] == [("warning", True)]


def test_several_faults_are_one_line_with_their_number(tmp_path: Path) -> None:
    path = tmp_path / "organisation.yaml"
    path.write_text("id: x\npeople:\n  - {id: a, token_sha256: zz}\n  - {id: a}\n", "utf-8")
    with pytest.raises(ProcedureError) as raised:
        load_checked_organisation(path)
    assert raised.value.in_one_line().endswith("(and 1 more problems)")
    assert "\n" not in raised.value.in_one_line()


@pytest.mark.parametrize(("second", "faults"), [("1q", 0), ("1mo", 1)])
def test_sources_that_give_a_duty_different_periods_are_refused(tmp_path: Path, second: str, faults: int) -> None:
    path = tmp_path / "organisation.yaml"
    sources = [
        f"  - {{id: s{i}, procedure: service-feedback, parameters: {{analysis_every: {every}}}}}" for i, every in enumerate(["1q", second])
    ]
    path.write_text("id: x\nsources:\n" + "\n".join(sources) + "\n", "utf-8")
    errors = [problem for problem in check_organisation(path) if "analysis_every" in problem.message]
    assert [problem.line for problem in errors] == [4] * faults
    assert all("a duty has one period; give all of them the same value" in problem.message for problem in errors)
