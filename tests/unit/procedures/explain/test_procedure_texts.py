"""Time limits in words."""

import pytest

from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.explain.rule_texts import describe_action_rule
from shared.procedures.explain.triage_texts import describe_duplicates
from shared.procedures.model.actions.action_rules import ActionRule
from shared.procedures.model.triage.entries import DuplicateRule


@pytest.mark.parametrize(
    ("limit", "en", "zh"),
    [
        ("3wd", "3 working days", "3个工作日"),
        ("1d", "1 calendar day", "1个自然日"),
        ("0.5wd", "half a working day", "半个工作日"),
        ("30m", "30 minutes", "30分钟"),
        ("same_day", "by the end of the same day (24:00)", "当日24时前"),
        ("date: agreed", "the moment given as “Agreed time”", "至“约定时间”所定的时间"),
    ],
)
def test_a_limit_is_described_in_both_languages(english: ProcedureTexts, chinese: ProcedureTexts, limit: str, en: str, zh: str) -> None:
    assert (english.limit(limit), chinese.limit(limit)) == (en, zh)


def test_duplicates_are_described_in_both_languages(english: ProcedureTexts, chinese: ProcedureTexts) -> None:
    rule = DuplicateRule(within_="2h", same=["object", "place"])
    [line] = describe_duplicates(english, rule)
    assert line.startswith("If one complainant submits again within 2 hours with the same ")
    [line] = describe_duplicates(chinese, rule)
    assert line.startswith("同一投诉人在2小时内就同一事项（")
    assert "尚未答复" in line


def test_required_contents_of_a_report_are_described_in_both_languages(english: ProcedureTexts, chinese: ProcedureTexts) -> None:
    recorded = ActionRule(report_needs={"text": "any", "attachments": "image"}, incomplete="missing", clause="4")
    refused = ActionRule(report_needs={"attachments": "pdf"}, clause="4", reason="须附文件 / a file is needed")
    [line] = describe_action_rule(english, ["survey"], recorded)
    assert line.startswith("A request to survey the site needs the field “text” and a photograph (an image file); without, it is accepted")
    assert describe_action_rule(chinese, ["survey"], recorded) == ["“现场勘查”须包括：内容和照片（图像文件）；缺少的仍予记录，并列为缺项。"]
    [line] = describe_action_rule(english, ["survey"], refused)
    assert "is accepted only with a PDF file; otherwise it is refused for the reason “a file is needed”" in line
