"""Time limits in words."""

import pytest

from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.explain.triage_texts import describe_duplicates
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
