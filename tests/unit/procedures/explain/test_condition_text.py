"""Conditions in words."""

from pathlib import Path
from typing import Any

import pytest

from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.expressions.text_patterns import TextPattern
from shared.procedures.loading.loader import load_procedure
from tests.unit.procedures.sample_pack import write_pack


@pytest.mark.parametrize(
    ("source", "en", "zh"),
    [
        (
            "!facts.urgent && case.class == 'urgent'",
            "“Urgent” does not apply and the class is “Urgent case”",
            "未认定“紧急”，且级别为“紧急件”",
        ),
        ("facts.urgent || facts.agreed_on", "“Urgent” or “agreed on” applies", "认定“紧急”或“agreed on”"),
        (
            "(facts.urgent || case.level >= 2) && event.role == 'chief'",
            "(“Urgent” applies or the management level is at least 2) and it is done by the chief",
            "（认定“紧急”，或管理层级不少于2），且由主管作出",
        ),
        (
            "!(case.class == 'urgent' || count.handled > 0)",
            "the class is not “Urgent case” and the handling has not been completed",
            "级别不是“紧急件”，且尚未处理完毕",
        ),
        (
            "last.called_back.outcome in ['satisfied', 'understood']",
            "the outcome of the latest call-back is “satisfied” or “shows understanding”",
            "最近一次回访的结果为“满意”或“理解”",
        ),
        (
            "!(last.called_back.outcome in ['dissatisfied', 'unreachable'])",
            "the outcome of the latest call-back is neither “dissatisfied” nor “unreachable”",
            "最近一次回访的结果不是“不满意”或“联系不上”",
        ),
        ("count.handled == 0", "the handling has not been completed", "尚未处理完毕"),
        (
            "case.received_day < months_after(facts.agreed_on, 12)",
            "less than 12 months have passed from “agreed on” to the day of receipt",
            "自“agreed on”至收到日期不满12个月",
        ),
        (
            "last.handled.day >= months_after(facts.agreed_on, 6)",
            "at least 6 months have passed from “agreed on” to the latest completion of the handling",
            "自“agreed on”至最近一次处理完毕已满6个月",
        ),
        ("last.escalated.role == 'chief'", "the latest escalation reached the chief", "最近一次升级上报至主管"),
        ("last.escalated.role != 'chief'", "the latest escalation did not reach the chief", "最近一次升级上报并非至主管"),
        ("count.answered > 0", "a further answer has been given", "已再次答复"),
        ("count.answered > 2", "there has been a further answer more than 2 times", "再次答复超过2次"),
        (
            "count.answered + count.answered > 2",
            "twice the number of times of a further answer is more than 2",
            "再次答复的次数的两倍超过2",
        ),
        (
            "event.attachments.exists(a, a.matches('(?i)[.](jpg|png)$'))",
            "a photograph is attached (as a file of the type jpg or png)",
            "附有照片（jpg或png格式的文件）",
        ),
        ("!event.attachments.exists(a, a.matches('[.](pdf)$'))", "no file of the type pdf is attached", "未附pdf格式的文件"),
        ("complaint.channel == 'letter'", "the channel is “letter”", "渠道为“信函”"),
        (
            "count.answered >= 1 && count.handled > 1",
            "a further answer has been given and there has been completion of the handling more than once",
            "已再次答复，且处理完毕超过1次",
        ),
        (
            "last.first_answered.at >= last.handled.at",
            "the first answer is not earlier than the latest completion of the handling",
            "首次答复不早于最近一次处理完毕",
        ),
        ("count.verification_failed > 0", "a verification has failed", "曾验证不合格"),
        ("event.person != ''", "it names a person", "写明了人员"),
        ("event.role != 'chief'", "it is not done by the chief", "并非由主管作出"),
        ("complaint.text.contains('x || y')", "the text contains “x || y”", "内容包含“x || y”"),
        ("complaint.text.matches('a|b')", "the text contains “a” or “b”", "内容中出现“a”或“b”"),
        ("!complaint.text.matches('a|b')", "the text does not contain “a” or “b”", "内容中未出现“a”或“b”"),
        ("size(case.links) > 0", "the linked cases are given", "写明了关联案件"),
        ("case.handler == ''", "no handler has been named", "尚未指定经办人"),
        (
            "case.received_day < months_after(facts.agreed_on, 6)",
            "less than 6 months have passed from “agreed on” to the day of receipt",
            "自“agreed on”至收到日期不满6个月",
        ),
        (
            "case.received_day <= months_after(facts.agreed_on, 6)",
            "not more than 6 months have passed from “agreed on” to the day of receipt",
            "自“agreed on”至收到日期未超过6个月",
        ),
        (
            "case.received_day > months_after(facts.agreed_on, 6)",
            "more than 6 months have passed from “agreed on” to the day of receipt",
            "自“agreed on”至收到日期已超过6个月",
        ),
        (
            "last.answered.at < last.handled.at",
            "the latest further answer is earlier than the latest completion of the handling",
            "最近一次再次答复早于最近一次处理完毕",
        ),
        ("event.day == case.received_day", "it is on the day of receipt", "在收到投诉当日"),
        (
            "'urgent' in event.facts || 'agreed' in event.facts",
            "the amendment changes “Urgent” or “Agreed time”",
            "本次更正涉及“紧急”或“约定时间”",
        ),
        (
            "facts.agreed > timestamp('1970-01-02T00:00:00Z')",
            "“Agreed time” is given",
            "已注明“约定时间”",
        ),
        (
            "facts.urgent ? case.approved : event.to != 'chief'",
            "(where “Urgent” applies, the measures are approved; otherwise, the receiver is not the chief)",
            "（认定“紧急”时，措施已获批准；否则，接收方不是主管）",
        ),
        (
            "case.level * 2 > 4",
            "the condition “case.level * 2 > 4” of the procedure's data holds",
            "符合规程数据中所写的条件“case.level * 2 > 4”",
        ),
    ],
)
def test_a_condition_is_described_in_both_languages(
    english: ProcedureTexts, chinese: ProcedureTexts, source: str, en: str, zh: str
) -> None:
    assert (english.condition(source), chinese.condition(source)) == (en, zh)


@pytest.mark.parametrize(
    ("pattern", "en", "zh"),
    [
        (
            {"words": ["停电"], "exceptions": ["预告.{0,4}停电"], "cues": []},
            "the title or the text contains “停电” (“预告” followed, at most 4 characters on, by “停电” does not count)",
            "标题或内容中出现“停电”（“预告”，其后4字以内又有“停电”不算）",
        ),
        (
            {"words": ["停电"], "lookalikes": ["停电瓶"], "exceptions": [r"^停电\s"], "cues": ["negation"]},
            "the title or the text contains “停电” (“停电瓶” or a text pattern of the procedure does not count, nor does what is denied)",
            "标题或内容中出现“停电”（“停电瓶”或规程数据中的文字式样不算，被否定的也不算）",
        ),
        (
            {"en": "Media", "zh": "媒体", "library": "media"},
            (
                "the title or the text contains an expression of the shared library for “Media” "
                "(what that library lists as an exception does not count, nor does what is somebody else's matter)"
            ),
            "标题或内容中出现通用词库中表示“媒体”的说法（通用词库所列的例外说法不算，属他人他处之事的也不算）",
        ),
    ],
    ids=["the pattern's own", "beside look-alikes", "those of the library, with its cues"],
)
def test_exceptions_of_a_pattern_are_described_in_both_languages(tmp_path: Path, pattern: dict[str, Any], en: str, zh: str) -> None:
    loaded = load_procedure(write_pack(tmp_path))
    procedure = loaded.model_copy(update={"patterns": {"outage": TextPattern.model_validate(pattern)}})
    texts = [ProcedureTexts(procedure, language).condition("says.outage") for language in ("en", "zh")]
    assert texts == [en, zh]
