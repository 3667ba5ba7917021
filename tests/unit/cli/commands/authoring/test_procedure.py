"""`jiesu procedure`: output and exit status of its commands."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.unit.procedures.sample_pack import SCENARIO, write_pack


def jiesu(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_check_prints_problems_and_fails_on_errors(tmp_path: Path) -> None:
    assert jiesu("procedure", "check", write_pack(tmp_path)).exit_code == 0
    result = jiesu("procedure", "check", write_pack(tmp_path, ("stops: closed", "stops: closd")))
    assert result.exit_code == 1
    assert "clause 3.1: there is no event closd; did you mean closed?" in result.output
    assert jiesu("procedure", "check", write_pack(tmp_path, ("version: 1", "version: x"))).exit_code == 1


def test_check_counts_warnings_without_the_scenarios_that_fail(tmp_path: Path) -> None:
    failing = SCENARIO + "  - {event: closed}\n  - {event: reopened}\n"
    result = jiesu("procedure", "check", write_pack(tmp_path, scenario=failing))
    warnings = sum(line.startswith("warning: ") for line in result.output.splitlines())
    assert result.output.splitlines()[-1].endswith(f": 2 errors, {warnings} warnings")


def test_check_with_an_organisation_reports_vacant_roles_and_unset_parameters(tmp_path: Path) -> None:
    (tmp_path / "org.yaml").write_text("id: o\nsources: [{id: hotline, procedure: sample}]\n", "utf-8")
    result = jiesu("procedure", "check", write_pack(tmp_path), "--organisation", tmp_path / "org.yaml")
    assert result.exit_code == 1
    assert "clause 3: source hotline: the parameter limit has no value" in result.output
    assert "no person holds the role desk" in result.output


@pytest.mark.parametrize(("language", "title"), [("zh", "样例"), ("en", "Sample")])
def test_explain_prints_both_languages_and_writes_html(tmp_path: Path, language: str, title: str) -> None:
    assert jiesu("procedure", "explain", write_pack(tmp_path), "--language", language).output.startswith(title)
    assert jiesu("procedure", "explain", tmp_path, "--language", language, "--html", tmp_path / "page.html").exit_code == 0
    assert f"<h1>{title}</h1>" in (tmp_path / "page.html").read_text("utf-8")


def test_coverage_prints_rows_and_fails_on_an_uncovered_clause(tmp_path: Path) -> None:
    result = jiesu("procedure", "coverage", write_pack(tmp_path, sense=SCENARIO), "--json")
    assert result.exit_code == 0, result.output
    keys = ("procedure", "clause", "entries", "scenarios", "uncovered", "shown", "unshown")
    assert {tuple(row) for row in json.loads(result.stdout)} == {keys}
    uncovered = jiesu("procedure", "coverage", write_pack(tmp_path, ('clause: "3.2"', 'clause: "9"')))
    assert uncovered.exit_code == 1
    assert "hole: ladders.up: clauses.yaml has no clause 9" in uncovered.stderr


def test_coverage_fails_on_a_clause_that_no_scenario_of_the_second_reading_shows(tmp_path: Path) -> None:
    shown = jiesu("procedure", "coverage", write_pack(tmp_path, sense=SCENARIO))
    assert shown.exit_code == 0, shown.output
    assert "clocks.chase ← all, sense/read; shown: clocks.chase by sense/read" in shown.stdout
    without = jiesu("procedure", "coverage", write_pack(tmp_path, sense=SCENARIO.replace('  - {event: reminded, clause: "3.1"}\n', "")))
    assert without.exit_code == 1
    assert (
        without.stderr
        == "hole: sample/3.1: no scenario of scenarios/sense/ fails without clocks.chase; write one from the text of the clause\n"
    )


def test_test_runs_the_scenarios_of_the_second_reading(tmp_path: Path) -> None:
    result = jiesu("procedure", "test", write_pack(tmp_path, sense=SCENARIO + "  - {event: closed}\n"))
    assert result.exit_code == 1
    assert "failed  sense/read\n        not met: expected event: closed" in result.output


def test_diff_lists_changed_entries(tmp_path: Path) -> None:
    old, new = write_pack(tmp_path / "old"), write_pack(tmp_path / "new", ("every: 3d", "every: 5d"))
    result = jiesu("procedure", "diff", old, new, "--language", "en")
    assert result.output.splitlines()[0] == "changed: clocks.chase (3.1)"
    assert jiesu("procedure", "diff", old, old).output == "没有变化\n"


def test_replay_compares_scenarios_under_another_version(tmp_path: Path) -> None:
    folder = write_pack(tmp_path / "old", scenario=SCENARIO)
    scenario = folder / "scenarios" / "all.yaml"
    same = jiesu("procedure", "replay", folder, "--cases", scenario, "--json")
    assert same.exit_code == 0, same.output
    assert json.loads(same.stdout)["differences"] == []
    other = jiesu("procedure", "replay", write_pack(tmp_path / "new", ("every: 3d", "every: 5d")), "--cases", scenario)
    assert "1 cases under sample@1: " in other.stdout
    assert "deadline chase: " in other.stdout


def test_invalid_pack_or_id_ends_with_status_2(tmp_path: Path) -> None:
    for arguments in (
        ("explain", tmp_path / "no"),
        ("coverage", tmp_path / "no"),
        ("diff", tmp_path / "no", tmp_path / "no"),
        ("new", "Bad_Id"),
    ):
        assert jiesu("procedure", *arguments).exit_code == 2


def test_new_procedure_passes_check_coverage_and_its_scenarios(tmp_path: Path) -> None:
    assert jiesu("procedure", "new", "my-rules", "--into", tmp_path).exit_code == 0
    folder = tmp_path / "my-rules"
    assert jiesu("procedure", "check", folder).output.endswith("0 errors, 0 warnings\n")
    assert jiesu("procedure", "coverage", folder).exit_code == 0
    for scenario in sorted((folder / "scenarios").glob("*.yaml")):
        assert jiesu("simulate", scenario).exit_code == 0, scenario
    assert jiesu("procedure", "new", "my-rules", "--into", tmp_path).exit_code == 2


def test_schema_is_printed_or_written(tmp_path: Path) -> None:
    printed = jiesu("procedure", "schema").stdout
    assert jiesu("procedure", "schema", "--output", tmp_path / "schema.json").exit_code == 0
    assert (tmp_path / "schema.json").read_text("utf-8") == printed


def test_a_failing_scenario_fails_check_coverage_and_test(tmp_path: Path) -> None:
    folder = write_pack(tmp_path, scenario=SCENARIO + "  - {event: closed}\n")
    for command in ("check", "coverage", "test"):
        result = jiesu("procedure", command, folder)
        assert result.exit_code == 1, command
        assert "not met: expected event: closed" in result.output, command


def test_test_names_the_entry_that_no_scenario_needs_and_what_to_add(tmp_path: Path) -> None:
    jiesu("procedure", "new", "small-shop", "--into", tmp_path)
    folder = tmp_path / "small-shop"
    assert jiesu("procedure", "test", folder).exit_code == 0
    text = (folder / "procedure.yaml").read_text("utf-8")
    clock = '  - {id: idle, clause: "1", zh: 空, en: Idle, starts: closed, stops: reopened, due: [{within: 3wd, do: [breach]}]}\n'
    (folder / "procedure.yaml").write_text(text.replace("clocks:\n", f"clocks:\n{clock}", 1), "utf-8")
    result = jiesu("procedure", "test", folder)
    assert result.exit_code == 1
    assert "unneeded: clocks.idle (clause 1): every scenario is met without it; add a scenario that expects clock_started" in result.output


def test_packs_of_the_users_are_installed_by_their_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jiesu("procedure", "new", "small-shop", "--into", tmp_path)
    assert jiesu("procedure", "explain", "small-shop").exit_code == 2
    monkeypatch.setenv("JIESU_PACKS", str(tmp_path))
    assert jiesu("procedure", "explain", "small-shop").exit_code == 0
    assert jiesu("procedure", "explain", "small-shop@1").exit_code == 0
    (tmp_path / "small-shop").rename(tmp_path / "hunan-property")
    result = jiesu("procedure", "explain", "hunan-property")
    assert (result.exit_code, "is the id of an installed pack" in result.output) == (2, True)
