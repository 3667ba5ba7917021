"""The sentences that tell why a deadline is due, in both languages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings

from services.desk.drawings.clock.why_due import why_due
from services.sla.domain.deadlines.counting import CountingRule
from services.sla.domain.deadlines.deadline import Extension
from services.sla.domain.deadlines.pauses import merge_pauses
from services.sla.domain.deadlines.worktime import to_micros
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.loading.loader import load_procedure
from shared.procedures.model.duration import Duration
from tests.unit.desk.drawings.test_clock_drawing import explain, explanations, instant

PROCEDURE = load_procedure("hunan-property")
CHINESE, ENGLISH = ProcedureTexts(PROCEDURE, "zh"), ProcedureTexts(PROCEDURE, "en")
BASIS = {"clauses": ["4.5.5"], "starts_on": "registered"}


def test_working_time_over_a_holiday_with_a_pause() -> None:
    pause = (to_micros(instant("09-30T17:00:00")), to_micros(instant("09-30T17:30:00")))
    explanation = {**explain(instant("09-30T16:40:00"), "4wh", pauses=merge_pauses([pause])), **BASIS}
    stretches = (
        "2026-09-30 16:40–17:00 (20min)；2026-09-30 17:30–18:00 (30min)；2026-10-08 09:00–12:00 (3h)；2026-10-08 13:00–13:10 (10min)"
    )
    assert why_due(explanation, CHINESE) == [
        "依据《物业客户投诉受理》第4.5.5条，自2026-09-30 16:40（登记）起算，时限：4个工作小时。",
        "日历：china，2026.1版，时区 Asia/Shanghai。",
        f"计入：{stretches}；合计 4h。",
        "其间放假：2026-10-01–10-07，不计。",
        "2026-09-30 17:00至2026-09-30 17:30暂停，不计。",
        "因此于2026-10-08 13:10到期。",
    ]


def test_working_days_name_each_day_that_does_not_count() -> None:
    explanation = {**explain(instant("09-24T16:40:00"), "7wd"), **BASIS}
    assert why_due(explanation, ENGLISH) == [
        "By “Property management: complaint handling”, clause 4.5.5: 7 working days, counted from 2026-09-24 16:40 (registration).",
        "Calendar china, version 2026.1, zone Asia/Shanghai.",
        "7 days counted: 2026-09-28–09-30, 2026-10-08–10-10, 2026-10-12.",
        "Not counted, the start day: 2026-09-24.",
        "Not counted, weekends: 2026-10-11.",
        "Not counted, days off: 2026-09-25–09-27, 2026-10-01–10-07.",
        "Of these, make-up working days: 2026-10-10.",
        "So it is due at 2026-10-12 18:00.",
    ]


@pytest.mark.parametrize(
    ("inputs", "chinese", "english"),
    [
        ({}, "最后一日2026-10-04逢放假，顺延至2026-10-08。", "The last day, 2026-10-04, moves on to 2026-10-08 over days off."),
        ({"extensions": (Extension(by=Duration.parse("2d")),)}, "准予延长2个自然日。", "Extended by 2 calendar days."),
        (
            {"extensions": (Extension(until=to_micros(instant("10-20T12:00:00"))),)},
            "以准予延长的日期为准，于2026-10-20 12:00到期（按天数计应为2026-10-08 24:00）。",
            "By the granted extension, it is due at 2026-10-20 12:00 (counted: 2026-10-08 24:00).",
        ),
        (
            {"agreed": to_micros(instant("10-02T12:00:00")), "or_agreed": True},
            "以约定日期为准，于2026-10-02 12:00到期（按天数计应为2026-10-08 24:00）。",
            "By the agreed date, it is due at 2026-10-02 12:00 (counted: 2026-10-08 24:00).",
        ),
        ({"rule": CountingRule(roll="none")}, "因此于2026-10-04 24:00到期。", "So it is due at 2026-10-04 24:00."),
        (
            {"pauses": merge_pauses([(to_micros(instant("09-26T09:00:00")), None)])},
            "自2026-09-26 09:00起暂停，尚未恢复。",
            "Paused since 2026-09-26 09:00, not yet resumed.",
        ),
    ],
)
def test_what_moved_the_deadline_is_told(inputs: dict[str, Any], chinese: str, english: str) -> None:
    explanation = {**explain(instant("09-24T16:40:00"), "10d", **inputs), **BASIS}
    assert chinese in why_due(explanation, CHINESE)
    assert english in why_due(explanation, ENGLISH)


def test_a_deadline_after_the_announced_schedule_is_called_provisional() -> None:
    explanation = {**explain(datetime.fromisoformat("2026-12-24T16:40:00+08:00"), "30wd"), **BASIS}
    assert explanation["provisional"]
    assert why_due(explanation, ENGLISH)[-1].startswith("Provisional: the public schedule after 2026-12-31")


@settings(max_examples=25, deadline=None)
@given(explanations())
def test_every_explanation_has_sentences_that_name_the_due_instant(explanation: dict[str, Any]) -> None:
    for texts in (CHINESE, ENGLISH):
        sentences = why_due(explanation, texts)
        assert all(sentence and sentence[-1] in "。." for sentence in sentences)
        assert len(set(sentences)) == len(sentences)
