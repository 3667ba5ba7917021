"""Explanations: the segments add up to the duration, and everything that moved the instant is named."""

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
from shared.procedures.calendars.calendar import default_calendar
from shared.procedures.model.duration import Duration
from tests.support.deadlines import at, limit

WORKTIME = Worktime.for_calendar(default_calendar())


def why(start: str, duration: str, **rest: Any) -> dict[str, Any]:
    return explain_deadline(WORKTIME, limit(start, duration, **rest))


def test_working_days_are_explained_day_by_day() -> None:
    days = [(day["day"], day["amount"], day["because"]) for day in why("2026-09-24 16:40", "2wd")["segments"]]
    assert days == [
        ("2026-09-24", 0, "start_day"),
        ("2026-09-25", 0, "day_off"),
        ("2026-09-26", 0, "day_off"),
        ("2026-09-27", 0, "day_off"),
        ("2026-09-28", 1, "working_day"),
        ("2026-09-29", 1, "working_day"),
    ]


def test_working_hours_are_explained_by_stretches() -> None:
    found = why("2026-09-24 16:40", "4wh", pauses=[("2026-09-28 09:30", "2026-09-28 10:00")])
    assert [segment["amount"] for segment in found["segments"]] == [4800, 1800, 7200, 600]
    assert found["segments"][0]["from"] == "2026-09-24T16:40:00+08:00"
    assert found["segments"][-1]["to"] == found["due"] == "2026-09-28T13:10:00+08:00"


@pytest.mark.parametrize(
    ("day", "reason"), [("2026-09-20", "make_up_day"), ("2026-09-21", "working_day"), ("2026-09-19", "weekend"), ("2026-10-01", "day_off")]
)
def test_every_kind_of_day_is_named(day: str, reason: str) -> None:
    segments = why("2026-09-17 09:00", "10wd")["segments"]
    assert [each["because"] for each in segments if each["day"] == day] == [reason]


def test_roll_pauses_extensions_and_replacements_are_named() -> None:
    rolled = why("2026-09-24 16:40", "3d")["rolled"]
    assert (rolled["from"], rolled["to"], rolled["over"]) == ("2026-09-27", "2026-09-28", [{"day": "2026-09-27", "because": "day_off"}])
    paused = why("2026-09-21 09:00", "1wd", pauses=[("2026-09-22 10:00", "2026-09-22 19:00")])
    assert [each["because"] for each in paused["segments"]] == ["start_day", "paused", "working_day"]
    assert why("2026-09-21 09:00", "3d", extensions=["2d"])["counted_duration"] == "5d"
    until = why("2026-09-21 09:00", "1d", extensions=["2026-09-25 10:00"])
    assert until["replaced"] == {"by": "extension", "counted": "2026-09-23T00:00:00+08:00"}
    agreed = why("2026-09-21 09:00", "1d", agreed="2026-09-22 10:00", or_agreed="earlier")
    assert agreed["replaced"]["by"] == "agreed"
    dated = why("2026-09-21 09:00", "date: x", agreed="2026-09-22 10:00")
    assert (dated["segments"], dated["due"], dated["replaced"]["by"]) == ([], "2026-09-22T10:00:00+08:00", "agreed")


def test_a_provisional_deadline_says_what_is_not_published() -> None:
    found = why("2026-12-30 09:00", "3wd")
    assert (found["provisional"], found["unpublished_after"], found["segments"][-1]["guessed"]) == (True, "2026-12-31", True)


def test_an_open_pause_is_explained_up_to_its_beginning() -> None:
    found = why("2026-09-21 09:00", "4wh", pauses=[("2026-09-21 10:00", None)])
    assert (found["due"], [segment["amount"] for segment in found["segments"]]) == (None, [3600])


def test_what_the_case_knows_comes_first() -> None:
    found = explain_deadline(WORKTIME, limit("2026-09-21 09:00", "1d"), {"procedure": "hunan-property", "clause": "3.4.2"})
    assert list(found)[:2] == ["procedure", "clause"]
    assert found["calendar"] == {"id": "china", "version": "2026", "zone": "Asia/Shanghai", "published_until": "2026-12-31"}


@settings(max_examples=120, deadline=None)
@given(
    minutes=st.integers(0, 2_000_000),
    micros=st.integers(0, 59_999_999),
    written=st.sampled_from(
        ["45m", "9h", "4wh", "20wh", "0.5wd", "0.3wd", "3wd", "10wd", "3d", "2w", "1mo", "1q", "same_day", "same_working_day"]
    ),
    counting=st.sampled_from(["exclusive", "inclusive"]),
    day_end=st.sampled_from(["midnight", "close"]),
    pause=st.tuples(st.integers(-500, 6000), st.integers(0, 5000)),
)
def test_segments_add_up_exactly(minutes: int, micros: int, written: str, counting: str, day_end: str, pause: tuple[int, int]) -> None:
    start = at("2024-01-01 00:00") + minutes * MICROS_PER_MINUTE + micros
    begins = start + pause[0] * MICROS_PER_MINUTE
    pauses = merge_pauses([(begins, begins + pause[1] * MICROS_PER_MINUTE)])
    found = TimeLimit(start, Duration.parse(written), CountingRule.parse(counting, "forward", day_end), pauses)
    explained = explain_deadline(WORKTIME, found)
    amounts = [Fraction(str(segment["amount"])) for segment in explained["segments"]]
    assert sum(amounts) == Fraction(str(explained["total"]))
    due = compute_due(WORKTIME, found)[0]
    assert due is not None
    assert datetime.fromisoformat(explained["due"]) == WORKTIME.to_datetime(due)
    assert all(one["from"] <= one["to"] for one in explained["segments"])
