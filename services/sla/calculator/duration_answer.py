"""The due instant of one duration, with its explanation."""

from __future__ import annotations

from typing import Any

from services.sla.domain.deadlines.deadline import TimeLimit
from services.sla.domain.deadlines.explained_segments import format_instant
from services.sla.domain.deadlines.explanation import explain_deadline
from services.sla.domain.deadlines.worktime import Worktime


def duration_answer(worktime: Worktime, limit: TimeLimit) -> dict[str, Any]:
    """The answer for one duration: start, duration, counting, roll, due, provisional, explanation."""
    explanation = explain_deadline(worktime, limit)
    return {
        "start": format_instant(worktime, limit.start),
        "duration": str(limit.duration),
        "counting": limit.rule.counting,
        "roll": limit.rule.roll,
        "due": explanation["due"],
        "provisional": explanation["provisional"],
        "explanation": explanation,
    }
