"""Every installed pack: no errors, no gaps, texts and pages in both languages, every scenario passes."""

import re
import subprocess
import sys

import pytest
import yaml

from shared.procedures.checks.pack_check import check_pack
from shared.procedures.coverage import pack_coverage
from shared.procedures.explain.page import build_page
from shared.procedures.explain.rendering.html_page import render_html
from shared.procedures.explain.rendering.text_page import render_text
from shared.procedures.model.procedure import LanguageCode
from simulator.entry_removal import scenario_fails
from simulator.scenario_runner import ScenarioRunner
from tests.support.scenarios.packs import PACKS, pack, pack_scenarios

EVERY_PACK = pytest.mark.parametrize("name", PACKS)


@EVERY_PACK
def test_a_pack_has_no_errors(name: str) -> None:
    assert [str(problem) for problem in check_pack(pack(name)) if problem.level == "error"] == []


@EVERY_PACK
def test_every_title_exists_in_both_languages(name: str) -> None:
    assert [str(problem) for problem in check_pack(pack(name)) if "title" in problem.message] == []


@EVERY_PACK
def test_every_clause_has_entries_and_scenarios_or_a_reason_for_neither(name: str) -> None:
    assert pack_coverage(pack(name)).gaps == ()


@EVERY_PACK
def test_clause_ids_are_quoted(name: str) -> None:
    for path in (pack(name).folder / "procedure.yaml", pack(name).folder / "clauses.yaml"):
        unquoted = re.findall(r"^.*\bclauses?: *(?:\[ *)?[0-9][^\"'\n]*$", path.read_text("utf-8"), re.MULTILINE)
        assert unquoted == [], path


@EVERY_PACK
def test_clause_keys_are_quoted(name: str) -> None:
    root = yaml.compose((pack(name).folder / "clauses.yaml").read_text("utf-8"))
    assert isinstance(root, yaml.MappingNode)
    keys = [key for _, clauses in root.value for key, _ in clauses.value]
    assert [key.value for key in keys if key.value[0].isdigit() and key.style not in ("'", '"')] == []


@EVERY_PACK
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_has_a_section_with_entries_for_every_clause(name: str, language: LanguageCode) -> None:
    page = build_page(pack(name).procedure, pack(name).clauses, language)
    assert [section.clause for section in page.clause_sections] == list(pack(name).clauses)
    assert [section.heading for section in page.clause_sections if not section.entries] == []
    assert page.title in render_text(page)
    assert render_html(page).endswith("</html>\n")


@EVERY_PACK
def test_a_page_has_no_sentence_in_the_other_language(name: str) -> None:
    """Patterns and quotations may be in the other language."""
    chinese = re.compile(r"[\u3400-\u9fff]")
    english = build_page(pack(name).procedure, pack(name).clauses, "en")
    for section in (*english.clause_sections, *english.appendices):
        lines = (section.clause_text, *(line for entry in section.entries for line in entry.lines))
        assert [line for line in lines if chinese.search(re.sub(r"“[^”]*”", "", line))] == []
    page = build_page(pack(name).procedure, pack(name).clauses, "zh")
    assert [section.heading for section in page.clause_sections if not chinese.search(section.clause_text)] == []


@EVERY_PACK
def test_every_scenario_passes(name: str) -> None:
    runner = ScenarioRunner(pack(name).procedure)
    assert [title for title, scenario, organisation in pack_scenarios(name) if scenario_fails(scenario, organisation, runner)] == []


def test_at_least_fifteen_packs_are_installed() -> None:
    assert len(PACKS) >= 15


def test_all_packs_load_within_a_second() -> None:
    result = subprocess.run([sys.executable, "-m", "tests.bench.sla.loading"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
