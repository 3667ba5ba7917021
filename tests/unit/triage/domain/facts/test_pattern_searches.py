"""The filter of patterns: it leaves out no pattern that a text shows."""

from pathlib import Path

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from services.triage.domain.facts.needed_literals import needed_literals
from services.triage.domain.facts.pattern_filter import PatternFilter
from services.triage.domain.facts.pattern_searches import PatternSearches
from services.triage.domain.reading.reading_copy import read_text
from shared.procedures.expressions.sense import SensePattern, compile_patterns
from shared.procedures.fact_library.library import fact_library
from shared.procedures.loading.loader import load_procedure
from tests.support.scenarios.fact_sentences import read_sentences

ROOT = Path(__file__).parents[5]
PACKS = sorted(path.parent for path in (ROOT / "shared" / "procedures" / "packs").glob("*/procedure.yaml"))


@pytest.fixture(scope="module")
def readings() -> list[str]:
    return [read_text(sentence.text) for sentence in read_sentences(ROOT / "tests" / "procedures" / "facts" / "independent.yaml")]


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_every_pattern_that_a_text_shows_is_possible(pack: Path, readings: list[str]) -> None:
    procedure = load_procedure(pack)
    patterns = PatternSearches(compile_patterns(procedure.patterns, procedure.cues))
    shown = {(text, name) for text in readings for name, pattern in patterns.items() if pattern.spans(text)}
    possible = {(text, name) for text in readings for name in patterns.possible(text)}
    assert shown <= possible
    assert len(possible) < len(readings) * len(patterns) / 2


def test_a_filter_without_patterns_names_none() -> None:
    assert PatternFilter([]).windows("电梯") == {}


def test_a_pattern_without_literals_is_searched_in_the_whole_text() -> None:
    assert PatternFilter(["电梯", "[0-9a-z]+"]).windows("停运") == {1: [(0, 2)]}


def test_the_parts_of_a_text_hold_the_same_matches_as_the_whole_text(readings: list[str]) -> None:
    sources = [source for patterns in library_patterns() for source in patterns.sources]
    chosen = PatternFilter(sources)
    text = "。".join(readings)[:6_000]
    windows = chosen.windows(text)
    for number, source in enumerate(sources):
        whole = [match.span() for match in re2.compile(source).finditer(text)]
        assert list(chosen.spans(text, number, windows.get(number, []))) == whole, source


PIECES = st.sampled_from(["电梯", "停", "运", "不", "没人", "管", "a", "lift", " ", "，", "3", "号楼", "İ", "。"])
SOURCES = [
    "电梯.{0,3}(停|坏)",
    "(?i:\\blift\\b)|号楼",
    "(没人|不)(管|理)?了?",
    "[0-9]{1,4}(号楼|栋)",
    "(电梯|lift)[^，。\\n]{0,4}(没人|不).{0,2}管",
    "(?:不.?){2}管+",
    "[a-l]{2}.*停",
    "(?:(梯停|电梯|停运|停))",
]


@given(st.lists(PIECES, max_size=30).map("".join))
def test_no_match_is_lost_and_none_is_added(text: str) -> None:
    chosen = PatternFilter(SOURCES)
    windows = chosen.windows(text)
    for number, source in enumerate(SOURCES):
        whole = [match.span() for match in re2.compile(source).finditer(text)]
        assert list(chosen.spans(text, number, windows.get(number, []))) == whole


@pytest.mark.parametrize(
    ("source", "literals", "width"),
    [
        ("电梯.{0,8}停(运|用)", [{"电梯"}, {"停运", "停用"}], 12),
        ("(?i)Gas\\s(leak|smell)", [{"smell", "leak"}, {"gas"}], 9),
        ("漏(水)?了*", [{"漏"}], None),
        ("(坏|停)*", [], None),
        ("[[:digit:]]楼", [], None),
        ("[^\\n]{2}(a|ab)", [{"a"}], 4),
    ],
)
def test_the_literals_that_every_match_holds(source: str, literals: list[set[str]], width: int | None) -> None:
    needs = needed_literals(source)
    assert ([set(each) for each in needs.sets], needs.width) == (literals, width)


def library_patterns() -> list[SensePattern]:
    facts = fact_library().facts
    compiled = compile_patterns(dict(facts), {})
    return [compiled[name] for name in facts]
