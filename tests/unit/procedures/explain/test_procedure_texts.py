"""Time limits in words."""

import pytest

from shared.procedures.explain.procedure_texts import ProcedureTexts


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
