"""Explanations: segments add up to the duration; rolls, pauses, extensions and replacements are named."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.sla.domain.deadlines.counting import CountingRule
from services.sla.domain.deadlines.deadline import TimeLimit, compute_due
from services.sla.domain.deadlines.explanation import explain_deadline
from services.sla.domain.deadlines.pauses import merge_pauses
from services.sla.domain.deadlines.worktime import MICROS_PER_MINUTE, Worktime
from shared.procedures.calendars.calendar import Calendar, default_calendar
from shared.procedures.model.duration import Duration
from tests.support.deadlines.shorthand import at, limit

WORKTIME = Worktime.for_calendar(default_calendar())


def explain(start: str, duration: str, **options: Any) -> dict[str, Any]:
    return explain_deadline(WORKTIME, limit(start, duration, **options))


def test_working_days_are_explained_day_by_day() -> None:
    days = [(day["day"], day["amount"], day["because"]) for day in explain("2026-09-24 16:40", "2wd")["segments"]]
    assert days == [
        ("2026-09-24", 0, "start_day"),
        ("2026-09-25", 0, "day_off"),
        ("2026-09-26", 0, "day_off"),
        ("2026-09-27", 0, "day_off"),
        ("2026-09-28", 1, "working_day"),
        ("2026-09-29", 1, "working_day"),
    ]


def test_working_time_is_explained_by_interval() -> None:
    explanation = explain("2026-09-24 16:40", "4wh", pauses=[("2026-09-28 09:30", "2026-09-28 10:00")])
    assert [segment["amount"] for segment in explanation["segments"]] == [4800, 1800, 7200, 600]
    assert explanation["segments"][0]["from"] == "2026-09-24T16:40:00+08:00"
    assert explanation["segments"][-1]["to"] == explanation["due"] == "2026-09-28T13:10:00+08:00"


@pytest.mark.parametrize(
    ("day", "reason"), [("2026-09-20", "make_up_day"), ("2026-09-21", "working_day"), ("2026-09-19", "weekend"), ("2026-10-01", "day_off")]
)
def test_segment_names_the_kind_of_its_day(day: str, reason: str) -> None:
    segments = explain("2026-09-17 09:00", "10wd")["segments"]
    assert [segment["because"] for segment in segments if segment["day"] == day] == [reason]


def test_working_time_names_the_days_off_that_it_passes_over() -> None:
    explanation = explain("2026-09-24 16:40", "4wh")
    assert explanation["days_off"] == [{"day": f"2026-09-{day}", "because": "day_off"} for day in (25, 26, 27)]
    assert "days_off" not in explain("2026-09-24 16:40", "4h")
    assert explain("2026-09-28 09:00", "4wh")["days_off"] == []


def test_a_day_with_hours_of_its_own_names_them() -> None:
    calendar = Calendar.parse({"id": "c", "version": "1", "days": {"2026-09-29": ["09:00-12:00"]}})
    explanation = explain_deadline(Worktime.for_calendar(calendar), limit("2026-09-18 16:40", "7wd"))
    assert {segment["day"]: segment["hours"] for segment in explanation["segments"] if "hours" in segment} == {
        "2026-09-29": ["09:00-12:00"]
    }


def test_explanation_names_rolls_pauses_extensions_and_replacements() -> None:
    rolled = explain("2026-09-24 16:40", "3d")["rolled"]
    assert (rolled["from"], rolled["to"], rolled["over"]) == ("2026-09-27", "2026-09-28", [{"day": "2026-09-27", "because": "day_off"}])
    paused = explain("2026-09-21 09:00", "1wd", pauses=[("2026-09-22 10:00", "2026-09-22 19:00")])
    assert [segment["because"] for segment in paused["segments"]] == ["start_day", "paused", "working_day"]
    assert explain("2026-09-21 09:00", "3d", extensions=["2d"])["counted_duration"] == "5d"
    until = explain("2026-09-21 09:00", "1d", extensions=["2026-09-25 10:00"])
    assert until["replaced"] == {"by": "extension", "counted": "2026-09-23T00:00:00+08:00"}
    agreed = explain("2026-09-21 09:00", "1d", agreed="2026-09-22 10:00", or_agreed="earlier")
    assert agreed["replaced"]["by"] == "agreed"
    dated = explain("2026-09-21 09:00", "date: x", agreed="2026-09-22 10:00")
    assert (dated["segments"], dated["due"], dated["replaced"]["by"]) == ([], "2026-09-22T10:00:00+08:00", "agreed")


def test_provisional_deadline_names_the_last_published_day() -> None:
    explanation = explain("2026-12-30 09:00", "3wd")
    assert (explanation["provisional"], explanation["unpublished_after"], explanation["segments"][-1]["guessed"]) == (
        True,
        "2026-12-31",
        True,
    )


def test_open_pause_ends_the_segments() -> None:
    explanation = explain("2026-09-21 09:00", "4wh", pauses=[("2026-09-21 10:00", None)])
    assert (explanation["due"], [segment["amount"] for segment in explanation["segments"]]) == (None, [3600])


def test_context_comes_first() -> None:
    explanation = explain_deadline(WORKTIME, limit("2026-09-21 09:00", "1d"), {"procedure": "hunan-property", "clause": "3.4.2"})
    assert list(explanation)[:2] == ["procedure", "clause"]
    assert explanation["calendar"] == {"id": "china", "version": "2026.1", "zone": "Asia/Shanghai", "published_until": "2026-12-31"}


@settings(max_examples=120, deadline=None)
@given(
    minutes=st.integers(0, 2_000_000),
    micros=st.integers(0, 59_999_999),
    duration=st.sampled_from(
        ["45m", "9h", "4wh", "20wh", "0.5wd", "0.3wd", "3wd", "10wd", "3d", "2w", "1mo", "1q", "same_day", "same_working_day"]
    ),
    counting=st.sampled_from(["exclusive", "inclusive"]),
    day_end=st.sampled_from(["midnight", "close"]),
    pause=st.tuples(st.integers(-500, 6000), st.integers(0, 5000)),
)
def test_segments_add_up_to_the_total_exactly(
    minutes: int, micros: int, duration: str, counting: str, day_end: str, pause: tuple[int, int]
) -> None:
    start = at("2024-01-01 00:00") + minutes * MICROS_PER_MINUTE + micros
    pause_start = start + pause[0] * MICROS_PER_MINUTE
    pauses = merge_pauses([(pause_start, pause_start + pause[1] * MICROS_PER_MINUTE)])
    limited = TimeLimit(start, Duration.parse(duration), CountingRule.parse(counting, "forward", day_end), pauses)
    explanation = explain_deadline(WORKTIME, limited)
    amounts = [Fraction(str(segment["amount"])) for segment in explanation["segments"]]
    assert sum(amounts) == Fraction(str(explanation["total"]))
    due, _, _ = compute_due(WORKTIME, limited)
    assert due is not None
    assert datetime.fromisoformat(explanation["due"]) == WORKTIME.to_datetime(due)
    assert all(segment["from"] <= segment["to"] for segment in explanation["segments"])
