"""Search patterns as lists of words."""

import pytest

from shared.procedures.explain.conditions.condition_text import condition_text
from shared.procedures.explain.conditions.pattern_words import PatternWordsError, pattern_words
from shared.procedures.explain.procedure_texts import ProcedureTexts


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("渗漏|返修", "“渗漏”或“返修”"),
        ("电梯.{0,6}(停运|故障)", "“电梯”，其后6字以内又有“停运”或“故障”"),
        ("(电表|水表).{0,4}(坏|不准)", "“电表”或“水表”，其后4字以内又有“坏”或“不准”"),
        ("(没有?|未)修好|返修", "“没有修好”、“没修好”、“未修好”或“返修”"),
        ("(突然|又)?停[水电]了", "“停水了”或“停电了”"),
        ("整栋.*停水", "“整栋”，其后又出现“停水”"),
        ("律师|(?i)lawyer", "“律师”或“lawyer”（字母不分大小写）"),
        (r"9\.5折", "“9.5折”"),
        ("电梯.{0,9}(又|再次|再度).{0,3}停", "“电梯”，其后9字以内又有“又”、“再次”或“再度”，其后3字以内又有“停”"),
        ("(找|请)记者.{0,6}曝光|找记者|登报", "“找记者”或“登报”；或“请记者”，其后6字以内又有“曝光”"),
        ("又投诉|再次投诉|又", "“再次投诉”或“又”"),
        (
            "(财务|技术|运营)(部|中心|人员).{0,5}出错",
            "“财务”、“技术”或“运营”，紧接“部”、“中心”或“人员”，其后5字以内又有“出错”",
        ),
        ("(太|很|极|真)(差|烂)|离谱", "“离谱”；或“太”、“很”、“极”或“真”，紧接“差”或“烂”"),
    ],
)
def test_a_pattern_is_read_as_the_words_that_it_finds(chinese: ProcedureTexts, pattern: str, words: str) -> None:
    assert condition_text(chinese, f"complaint.text.matches({pattern!r})") == f"内容中出现{words}"


@pytest.mark.parametrize("pattern", ["[^a]b", "^a", "a{2}", "(a", "a)b", "?a", r"a(?P<x>b)"])
def test_a_pattern_that_is_no_list_of_words_is_not_read(pattern: str) -> None:
    with pytest.raises(PatternWordsError):
        pattern_words(pattern)


def test_such_a_pattern_is_named_as_one(chinese: ProcedureTexts, english: ProcedureTexts) -> None:
    source = "complaint.text.matches('^a')"
    assert condition_text(chinese, source) == "内容符合规程数据中的文字式样"
    assert condition_text(english, source) == "the text fits a text pattern of the procedure"
