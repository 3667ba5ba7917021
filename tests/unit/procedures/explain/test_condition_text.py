"""Conditions in words."""

import pytest

from shared.procedures.explain.procedure_texts import ProcedureTexts


@pytest.mark.parametrize(
    ("source", "en", "zh"),
    [
        ("!facts.urgent && case.class == 'urgent'", "not “Urgent” and class is “Urgent case”", "非「紧急」且级别为「紧急件」"),
        (
            "last.called_back.outcome in ['satisfied']",
            "the outcome of the latest call-back is one of “satisfied”",
            "最近一次回访的结果属于「满意」",
        ),
        ("count.handled == 0", "there has not been completion of the handling", "尚无处理完毕"),
        ("count.answered > 0", "there has been a further answer", "已有再次答复"),
        ("count.answered > 2", "the number of times of a further answer > 2", "再次答复的次数 > 2"),
        ("complaint.channel == 'letter'", "channel is “letter”", "渠道为「信函」"),
        ("event.role != 'chief'", "its acting role is not “Chief”", "其经办岗位不为「主管」"),
        ("complaint.text.contains('x || y')", "text contains (“x || y”)", "内容包含（「x || y」）"),
        ("(facts.urgent || case.level >= 2)", "(“Urgent” or management level ≥ 2)", "（「紧急」或管理层级 ≥ 2）"),
        ("complaint.text.matches('a|b')", "text fits the pattern (“a|b”)", "内容符合（「a|b」）"),
        ("size(case.links) > 0", "linked cases is not empty", "关联案件不为空"),
        ("case.handler == ''", "handler is empty", "经办人为空"),
    ],
)
def test_a_condition_is_described_in_both_languages(
    english: ProcedureTexts, chinese: ProcedureTexts, source: str, en: str, zh: str
) -> None:
    assert (english.condition(source), chinese.condition(source)) == (en, zh)
