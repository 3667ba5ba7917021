"""Hits of text patterns, and the cues that take their sense away."""

from typing import Any

import pytest

from shared.procedures.expressions.sense import Hit, SensePattern, compile_patterns
from shared.procedures.expressions.text_patterns import CueEntry, CueKind, TextPattern, common_cues


def pattern(added_cues: dict[CueKind, list[CueEntry]] | None = None, **fields: Any) -> SensePattern:
    return compile_patterns({"leak": TextPattern.model_validate({"words": ["漏水"], **fields})}, added_cues or {})["leak"]


def counts(text: str, **fields: Any) -> bool:
    hits = pattern(**fields).hits(text)
    return bool(hits) and not hits[-1].cue_kind


@pytest.mark.parametrize(
    ("text", "kind", "cue"),
    [
        ("没有漏水", "negation", "没有"),
        ("漏水问题不存在", "negation", "不存在"),
        ("漏水已修好", "past", "已修好"),
        ("以前漏水", "past", "以前"),
        ("听说三楼漏水", "hearsay", "听说"),
        ("是否漏水", "enquiry", "是否"),
        ("请问漏水怎么办", "enquiry", "请问"),
        ("如果漏水", "conditional", "如果"),
    ],
)
def test_hit_without_its_sense_names_the_cue(text: str, kind: str, cue: str) -> None:
    assert pattern().hits(text) == [Hit("漏水", kind, cue)]


@pytest.mark.parametrize(
    "text",
    [
        "漏水",
        "没有电,漏水",  # another clause
        "没有人管。漏水",
        "没有人来修漏水",  # the negation concerns the repair
        "不是没有漏水",  # two negations
        "不但漏水",
        "不断漏水",
        "听说有补贴,我家漏水",  # the writer's own place
        "到底管不管漏水",
        "还没修好漏水,什么时候来",
        "漏水已修好,今天又漏",
        "物业说已修好漏水",
    ],
)
def test_hit_keeps_its_sense(text: str) -> None:
    assert counts(text)


def test_first_hit_that_counts_is_the_last_one_listed() -> None:
    assert pattern().hits("没有漏水。厨房漏水。阳台漏水") == [Hit("漏水", "negation", "没有"), Hit("漏水")]


def test_solution_concerns_the_nearest_hit_before_it() -> None:
    assert counts("厨房漏水,阳台漏水已修好")
    assert not counts("厨房漏水,已修好")


def test_negation_between_the_words_of_a_hit_counts_unless_the_expression_contains_it() -> None:
    matches = ["电梯.{0,6}(停运|不动)"]
    assert not counts("电梯没有停运", words=[], matches=matches)
    assert counts("电梯不动", words=[], matches=matches)


def test_chosen_cues_only_take_the_sense_away() -> None:
    assert counts("请问漏水怎么办", cues=["negation"])
    assert not counts("没有漏水", cues=["negation"])
    assert counts("没有漏水", cues=[])
    assert counts("没有漏水", topic=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("这个月没有发工资", True),
        ("工资被扣", True),
        ("工资没有发", True),
        ("是不是工资算错了", True),
        ("不是工资的问题", False),
        ("不是因为工资,是空调坏了", False),
        ("工资没有意见", False),
        ("工资方面没有问题", False),
        ("不是工资的问题,是工资条看不懂", True),
    ],
)
def test_a_topic_is_taken_away_only_where_the_words_say_that_it_is_not_the_matter(text: str, expected: bool) -> None:
    assert counts(text, words=["工资"], topic=True) == expected


def test_look_alikes_of_a_pattern_do_not_count() -> None:
    assert not counts("漏水点探测仪", lookalikes=["漏水点探测仪"])
    assert counts("漏水点探测仪说漏水", lookalikes=["漏水点探测仪"])


def test_procedure_adds_cues() -> None:
    added: dict[CueKind, list[CueEntry]] = {"hearsay": [CueEntry(before=["风闻"])]}
    assert pattern(added).hits("风闻漏水") == [Hit("漏水", "hearsay", "风闻")]
    assert counts("风闻漏水")


@pytest.mark.parametrize(("text", "holds"), [("I want a refund", True), ("I do not want a Refund", False), ("refunds", False)])
def test_latin_words_are_whole_words_in_any_case(text: str, holds: bool) -> None:
    assert counts(text, words=["refund"]) is holds


def test_reach_counts_a_latin_word_as_one_character() -> None:
    added: dict[CueKind, list[CueEntry]] = {"hearsay": [CueEntry(before=["Bob said"], reach=2)]}
    assert pattern(added, words=["leak"]).hits("Bob said a big leak")[0].cue_kind == "hearsay"
    assert pattern(added, words=["leak"]).hits("Bob said a very big leak")[0].cue_kind == ""


def test_pattern_of_bad_syntax_is_named() -> None:
    with pytest.raises(ValueError, match=r"patterns\.leak: the pattern is not valid: .*; write matches in RE2 syntax"):
        pattern(matches=["漏("])


def test_common_expressions_are_in_the_form_of_the_reading_copy() -> None:
    """A cue with full-width punctuation or white space between Chinese characters would never be found."""
    entries = [entry for kind in common_cues().cues.values() for entry in kind]
    expressions = [e for entry in entries for e in (*entry.before, *entry.after, *entry.lookalikes, *entry.ends, *entry.unless)]
    assert [e for e in expressions if e != e.strip() or any("\uff01" <= c <= "\uff5e" for c in e)] == []
