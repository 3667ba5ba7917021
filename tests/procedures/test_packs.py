"""Every installed pack: no errors, no holes, words in both languages, a page for each reader, every scenario met."""

import re
import subprocess
import sys

import pytest
import yaml

from shared.procedures.checks.pack_check import check_pack
from shared.procedures.coverage import pack_coverage
from shared.procedures.explain.html_page import render_html
from shared.procedures.explain.page import build_page
from shared.procedures.explain.text_page import render_text
from shared.procedures.model.procedure import LanguageCode
from tests.support.mutations import scenario_fails
from tests.support.packs import PACKS, pack, pack_scenarios

EVERY_PACK = pytest.mark.parametrize("name", PACKS)


@EVERY_PACK
def test_check_finds_no_error(name: str) -> None:
    assert [str(problem) for problem in check_pack(pack(name)) if problem.level == "error"] == []


@EVERY_PACK
def test_everything_that_people_read_has_a_title_in_both_languages(name: str) -> None:
    assert [str(problem) for problem in check_pack(pack(name)) if "title" in problem.message] == []


@EVERY_PACK
def test_every_clause_is_carried_out_and_shown_or_left_out_with_a_reason(name: str) -> None:
    assert pack_coverage(pack(name)).gaps == ()


@EVERY_PACK
def test_clause_ids_are_quoted(name: str) -> None:
    for path in (pack(name).folder / "procedure.yaml", pack(name).folder / "clauses.yaml"):
        bare = re.findall(r"^.*\bclauses?: *(?:\[ *)?[0-9][^\"'\n]*$", path.read_text("utf-8"), re.MULTILINE)
        assert bare == [], path


@EVERY_PACK
def test_clause_keys_are_quoted(name: str) -> None:
    root = yaml.compose((pack(name).folder / "clauses.yaml").read_text("utf-8"))
    assert isinstance(root, yaml.MappingNode)
    keys = [key for _, clauses in root.value for key, _ in clauses.value]
    assert [key.value for key in keys if key.value[0].isdigit() and key.style not in ("'", '"')] == []


@EVERY_PACK
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_names_every_clause_and_says_something_about_it(name: str, language: LanguageCode) -> None:
    made = build_page(pack(name).procedure, pack(name).clauses, language)
    assert [part.heading for part in made.clause_sections] == list(pack(name).clauses)
    assert [part.heading for part in made.clause_sections if not part.entries] == []
    assert made.title in render_text(made)
    assert render_html(made).endswith("</html>\n")


@EVERY_PACK
def test_the_english_page_speaks_english_and_the_chinese_one_chinese(name: str) -> None:
    """Names in patterns and quotations stay as they are; a sentence in the wrong language does not."""
    chinese = re.compile(r"[\u3400-\u9fff]")
    english = build_page(pack(name).procedure, pack(name).clauses, "en")
    for part in (*english.clause_sections, *english.appendices):
        spoken = [re.sub(r"“[^”]*”", "", line) for line in (part.clause_text, *(line for entry in part.entries for line in entry))]
        assert [line for line in spoken if chinese.search(line)] == []
    words = build_page(pack(name).procedure, pack(name).clauses, "zh")
    assert [part.heading for part in words.clause_sections if not chinese.search(part.clause_text)] == []


@EVERY_PACK
def test_every_scenario_is_met(name: str) -> None:
    procedure = pack(name).procedure
    assert [title for title, scenario, organisation in pack_scenarios(name) if scenario_fails(scenario, procedure, organisation)] == []


def test_the_wanted_number_of_regulations_is_installed() -> None:
    assert len(PACKS) >= 15


def test_all_packs_load_within_a_second() -> None:
    result = subprocess.run([sys.executable, "-m", "tests.bench.loading"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
