"""The picture of a clock: everything that it names lies inside it, in order, and in the table beside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.desk.drawings.clock.clock_data import clock_data
from services.desk.drawings.clock.clock_drawing import draw_clock
from services.desk.drawings.clock.time_rows import time_rows
from services.desk.drawings.clock.week_rows import week_rows
from services.sla.domain.deadlines.deadline import Extension, TimeLimit
from services.sla.domain.deadlines.explanation import explain_deadline
from services.sla.domain.deadlines.pauses import merge_pauses
from services.sla.domain.deadlines.worktime import Worktime, to_micros
from shared.procedures.calendars.calendar import Calendar, default_calendar
from shared.procedures.model.duration import Duration
from tests.unit.desk.drawings.svg_picture import LONG_NAMES, assert_readable

CHINA = default_calendar()
NEW_YORK = Calendar.parse(
    {"id": "york", "version": "1", "zone": "America/New_York", "schedule": "none", "days": {"2026-03-09": ["09:00-12:00"]}}
)
CALENDARS = {"china": Worktime.for_calendar(CHINA), "york": Worktime.for_calendar(NEW_YORK)}
DURATIONS = ("30m", "2h", "240h", "4wh", "90wh", "0.5wd", "3wd", "30wd", "15d", "90d", "1mo", "1y", "same_day", "same_working_day")
INSTANTS = st.integers(0, 300 * 86_400).map(lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))


def instant(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}+08:00")


def explain(start: datetime, duration: str, calendar: str = "china", **inputs: Any) -> dict[str, Any]:
    return explain_deadline(CALENDARS[calendar], TimeLimit(to_micros(start), Duration.parse(duration), **inputs))


@st.composite
def explanations(draw: st.DrawFn) -> dict[str, Any]:
    duration, start = draw(st.sampled_from(DURATIONS)), draw(INSTANTS)
    pauses: list[tuple[int, int | None]] = []
    if not duration.startswith("same"):
        lengths = draw(st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 10**6)), max_size=4))
        pauses = [(to_micros(start + timedelta(seconds=at)), to_micros(start + timedelta(seconds=at + length))) for at, length in lengths]
        if draw(st.booleans()):
            pauses.append((to_micros(start + timedelta(seconds=draw(st.integers(0, 10**5)))), None))
    return explain(start, duration, draw(st.sampled_from(sorted(CALENDARS))), pauses=merge_pauses(pauses))


@settings(max_examples=25, deadline=None)
@given(explanations(), INSTANTS, st.sampled_from(LONG_NAMES), st.sampled_from(["zh", "en"]), st.integers(0, 10**6))
def test_clock_drawing_holds_every_instant_inside_the_picture(
    explanation: dict[str, Any], now: datetime, name: str, language: Any, reminded_after: int
) -> None:
    reminder = (datetime.fromisoformat(explanation["start"]) + timedelta(seconds=reminded_after)).isoformat()
    clock = clock_data(name, explanation, now, reminders=[reminder])
    drawing = draw_clock(clock, language, "clock-1")
    picture = assert_readable(drawing.svg)
    for mark in clock.marks:
        assert len(picture.of_class(f"mark-{mark.kind}")) == 1
    starts = [row[0] for row in drawing.table.rows]
    assert starts == sorted(starts)
    assert {len(row) for row in drawing.table.rows} == {len(drawing.table.heads)}


@settings(max_examples=25, deadline=None)
@given(explanations(), INSTANTS)
def test_rows_are_in_order_and_hold_each_mark_once(explanation: dict[str, Any], now: datetime) -> None:
    clock = clock_data("c", explanation, now)
    if clock.days:
        rows = week_rows(clock)
        shown = [cell.date for row in rows for cell in row.cells]
        assert sorted(set(shown)) == shown
        assert sum(len(cell.marks) for row in rows for cell in row.cells) == len(clock.marks)
        counted = sum(1 for row in rows for cell in row.cells if cell.day and cell.day.number) + sum(row.counted for row in rows)
        assert counted == sum(1 for day in clock.days if day.number is not None)
        return
    spans = time_rows(clock)
    assert all(later.first == earlier.last + timedelta(days=1) for earlier, later in pairwise(spans))
    assert [mark for row in spans for _, mark in row.places] == list(clock.marks)
    for row in spans:
        places = [place for place, _ in row.places]
        assert places == sorted(places)
        for earlier, later in pairwise(row.bars):
            assert earlier.start <= earlier.end <= later.start + 1e-9


@settings(max_examples=25, deadline=None)
@given(explanations(), INSTANTS)
def test_bars_of_working_time_are_as_long_as_the_time_that_counts(explanation: dict[str, Any], now: datetime) -> None:
    clock = clock_data("c", explanation, now)
    drawn = sum((bar.end - bar.start) * 86_400 * row.day_count for row in time_rows(clock) for bar in row.bars if bar.kind == "counted")
    counted = sum(segment["amount"] for segment in explanation["segments"]) if not clock.days else 0
    # A day of 23 or 25 hours is drawn as wide as any other.
    assert drawn == pytest.approx(counted, abs=1, rel=0.05 if clock.zone.key == "America/New_York" else 1e-6)


def test_days_in_lieu_make_up_days_and_half_days_are_named() -> None:
    calendar = Calendar.parse({"id": "c", "version": "1", "days": {"2026-09-29": ["09:00-12:00"]}})
    limit = TimeLimit(to_micros(instant("09-24T16:40:00")), Duration.parse("7wd"))
    explanation = explain_deadline(Worktime.for_calendar(calendar), limit)
    drawing = draw_clock(clock_data("c", explanation, instant("09-28T09:15:00")), "en", "k")
    states = {row[0][:10]: row[2] for row in drawing.table.rows if "(" in row[0]}
    assert states["2026-09-24"] == "the start day does not count"
    assert states["2026-09-25"] == "day off"
    assert states["2026-09-29"] == "working day · other hours 09:00-12:00"
    assert states["2026-10-10"] == "make-up working day"
    assert states["2026-10-11"] == "weekend"
    shown = {text.text for text in assert_readable(drawing.svg).texts()}
    assert {"work", "off", "rest", "short", "start"} <= shown


def test_a_holiday_within_working_time_is_one_row_with_its_reason() -> None:
    explanation = explain(instant("09-30T16:40:00"), "4wh")
    rows = time_rows(clock_data("c", explanation, instant("10-08T09:15:00")))
    assert [(str(row.first), row.day_count, row.reasons) for row in rows] == [
        ("2026-09-30", 1, ()),
        ("2026-10-01", 7, ("day_off",)),
        ("2026-10-08", 1, ()),
    ]


def test_a_day_end_is_drawn_at_24_00_of_its_day() -> None:
    explanation = explain(instant("09-24T16:40:00"), "15d")
    assert explanation["due"] == "2026-10-10T00:00:00+08:00"
    drawing = draw_clock(clock_data("c", explanation, instant("09-25T09:00:00")), "en", "k")
    assert "24:00 due" in {text.text for text in assert_readable(drawing.svg).texts()}
    cell = next(cell for row in week_rows(clock_data("c", explanation, instant("09-25T09:00:00"))) for cell in row.cells if cell.marks[-1:])
    assert str(cell.date) == "2026-09-24"


def test_weeks_between_a_passed_deadline_and_now_are_one_row() -> None:
    clock = clock_data("c", explain(instant("09-24T16:40:00"), "7wd"), instant("11-28T17:51:24"))
    rows = week_rows(clock)
    assert [row.week_count for row in rows] == [1, 1, 1, 1, 5, 1]
    assert not rows[4].cells
    shown = {text.text for text in assert_readable(draw_clock(clock, "zh", "k").svg).texts()}
    assert {"… 5周 …", "17:51 现在"} <= shown


def test_an_open_pause_reaches_until_now_and_has_no_due_instant() -> None:
    start, paused = instant("09-28T10:00:00"), instant("09-28T11:00:00")
    explanation = explain(start, "4wh", pauses=merge_pauses([(to_micros(paused), None)]))
    clock = clock_data("c", explanation, instant("09-29T12:00:00"))
    assert clock.due is None
    assert [(each.kind, each.end) for each in clock.stretches] == [("counted", paused), ("paused", instant("09-29T12:00:00"))]
    assert "暂停中，到期时间未定" in draw_clock(clock, "zh", "k").table.caption


def test_a_rolled_deadline_shows_the_days_that_it_passed_over() -> None:
    explanation = explain(instant("09-24T16:40:00"), "10d")
    days = clock_data("c", explanation, instant("09-25T09:00:00")).days
    assert [(str(day.day), day.number) for day in days[-6:]] == [
        ("2026-10-03", 9),
        ("2026-10-04", 10),
        ("2026-10-05", None),
        ("2026-10-06", None),
        ("2026-10-07", None),
        ("2026-10-08", None),
    ]


def test_same_data_give_the_same_bytes() -> None:
    explanation = explain(instant("09-24T16:40:00"), "10d", extensions=(Extension(by=Duration.parse("2d")),))
    drawings = [draw_clock(clock_data("c", explanation, instant("09-25T09:00:00")), "zh", "k") for _ in range(2)]
    assert drawings[0] == drawings[1]
