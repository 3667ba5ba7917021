"""`jiesu procedure`: what is printed, and with which exit status."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import COMMANDS, app, load_command
from tests.unit.procedures.samples import write_pack


def jiesu(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_every_command_of_the_table_exists() -> None:
    assert [name for name, (where, _) in COMMANDS.items() if find_spec(where.partition(":")[0]) is None] == []
    assert [load_command(name).name for name in COMMANDS] == list(COMMANDS)


def test_the_list_of_commands_imports_none_of_them() -> None:
    result = jiesu("--help")
    assert result.exit_code == 0
    assert all(name in result.output for name in COMMANDS)


def test_check_prints_problems_and_fails_on_errors(tmp_path: Path) -> None:
    assert jiesu("procedure", "check", write_pack(tmp_path)).exit_code == 0
    result = jiesu("procedure", "check", write_pack(tmp_path, ("stops: closed", "stops: closd")))
    assert result.exit_code == 1
    assert "clause 3.1: there is no event closd; did you mean closed?" in result.output
    assert jiesu("procedure", "check", write_pack(tmp_path, ("version: 1", "version: x"))).exit_code == 1


def test_check_with_an_organisation_finds_vacant_roles_and_open_parameters(tmp_path: Path) -> None:
    (tmp_path / "org.yaml").write_text("id: o\nsources: [{id: hotline, procedure: sample}]\n", "utf-8")
    result = jiesu("procedure", "check", write_pack(tmp_path), "--organisation", tmp_path / "org.yaml")
    assert result.exit_code == 1
    assert "clause 3: source hotline: the parameter limit has no value" in result.output
    assert "no person holds the role desk" in result.output


@pytest.mark.parametrize(("language", "words"), [("zh", "样例"), ("en", "Sample")])
def test_explain_speaks_both_languages_and_writes_html(tmp_path: Path, language: str, words: str) -> None:
    assert jiesu("procedure", "explain", write_pack(tmp_path), "--language", language).output.startswith(words)
    assert jiesu("procedure", "explain", tmp_path, "--language", language, "--html", tmp_path / "page.html").exit_code == 0
    assert f"<h1>{words}</h1>" in (tmp_path / "page.html").read_text("utf-8")


def test_coverage_prints_rows_and_fails_on_a_hole(tmp_path: Path) -> None:
    result = jiesu("procedure", "coverage", write_pack(tmp_path), "--json")
    assert result.exit_code == 0
    assert {tuple(row) for row in json.loads(result.stdout)} == {("procedure", "clause", "entries", "scenarios", "uncovered")}
    holed = jiesu("procedure", "coverage", write_pack(tmp_path, ('clause: "3.2"', 'clause: "9"')))
    assert holed.exit_code == 1
    assert "hole: ladders.up: clauses.yaml has no clause 9" in holed.stderr


def test_diff_says_what_changes(tmp_path: Path) -> None:
    old, new = write_pack(tmp_path / "old"), write_pack(tmp_path / "new", ("every: 3d", "every: 5d"))
    result = jiesu("procedure", "diff", old, new, "--language", "en")
    assert result.output.splitlines()[0] == "changed: clocks.chase (3.1)"
    assert jiesu("procedure", "diff", old, old).output == "没有变化\n"


def test_what_cannot_be_used_ends_with_status_2(tmp_path: Path) -> None:
    for words in (
        ("explain", tmp_path / "no"),
        ("coverage", tmp_path / "no"),
        ("diff", tmp_path / "no", tmp_path / "no"),
        ("new", "Bad_Id"),
    ):
        assert jiesu("procedure", *words).exit_code == 2


def test_a_new_procedure_passes_check_coverage_and_its_scenarios(tmp_path: Path) -> None:
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
