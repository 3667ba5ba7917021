"""The filter of patterns: the parts of a text in which it searches hold every match, and searching them finds no other."""

from pathlib import Path

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from services.triage.domain.reading.reading_copy import read_text
from shared.procedures.expressions.needed_literals import CharacterGap, needed_literals, width
from shared.procedures.expressions.pattern_filter import PatternFilter
from shared.procedures.expressions.sense import SensePattern, compile_patterns
from shared.procedures.fact_library.library import fact_library
from tests.support.scenarios.fact_sentences import read_sentences

ROOT = Path(__file__).parents[4]


def library_patterns() -> list[SensePattern]:
    facts = fact_library().facts
    compiled = compile_patterns(dict(facts), {})
    return [compiled[name] for name in facts]


def test_a_filter_without_patterns_names_none() -> None:
    assert PatternFilter([]).windows("电梯") == {}


def test_a_pattern_without_literals_is_searched_in_the_whole_text() -> None:
    assert PatternFilter(["电梯", "[^a-z]+"]).windows("停运") == {1: [(0, 2)]}


@pytest.mark.parametrize("text", ["燃气好像漏了", "味道像燃气，不太重，是楼下餐厅飘的味", "漏燃气"])
def test_literals_in_another_order_or_too_far_apart_are_not_searched(text: str) -> None:
    assert bool(PatternFilter(["(燃气|煤气).{0,3}(漏|味)"]).windows(text)) == (text == "燃气好像漏了")


def test_a_pattern_that_names_an_end_of_the_text_is_searched_in_the_whole_of_it() -> None:
    text = "关于律师函" + "的事" * 200
    assert PatternFilter(["律师函$|停运"]).windows(text) == {0: [(0, len(text))]}


def test_the_parts_of_a_text_hold_the_same_matches_as_the_whole_text() -> None:
    sentences = read_sentences(ROOT / "tests" / "procedures" / "facts" / "independent.yaml")
    sources = [source for pattern in library_patterns() for source in pattern.sources]
    chosen = PatternFilter(sources)
    text = "。".join(read_text(sentence.text) for sentence in sentences)[:6_000]
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
    "^(电梯|不)|号楼。?$",
    "(停(运|了)?){1,3}|(3|没人.{1,2})(管|电.?梯)",
    "[0-9a-z不没]{2}(管(理)?|.{0,2}电梯)",
    "(电梯|运).{2,}(lift|不)",
    "电?梯?",
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
    ("source", "branches", "least_and_most"),
    [
        ("电梯.{0,8}停(运|用)", [[{"电梯"}, (0, 8), {"停运", "停用"}]], [(4, 12)]),
        ("(?i)Gas\\s(leak|smell)", [[{"gas"}, (1, 1), {"leak", "smell"}]], [(8, 9)]),
        ("漏(水)?了*", [[{"漏", "漏水"}, (0, None)]], [(1, None)]),
        ("漏水|停.电", [[{"漏水"}], [{"停"}, (1, 1), {"电"}]], [(2, 2), (3, 3)]),
        ("(前|后|左|右)[0-9a-z]{2,4}楼", [[set("前后左右"), set("0123456789abcdefghijklmnopqrstuvwxyz"), (1, 3), {"楼"}]], [(4, 6)]),
        ("(坏|停)*", [[(0, None)]], [(0, None)]),
        ("[[:digit:]]楼", [], []),
        ("[^\\n]{2}(a|ab)", [[(2, 2), {"a", "ab"}]], [(3, 4)]),
    ],
)
def test_what_every_match_holds(source: str, branches: list[list[object]], least_and_most: list[tuple[int, int | None]]) -> None:
    needs = needed_literals(source)
    assert [[tuple(item) if isinstance(item, CharacterGap) else set(item) for item in branch] for branch in needs.branches] == branches
    assert [tuple(width(branch)) for branch in needs.branches] == least_and_most
