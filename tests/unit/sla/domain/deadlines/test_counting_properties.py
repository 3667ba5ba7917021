"""counting.py against a brute-force minute counter, over 2024 to 2027."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.sla.domain.deadlines.counting import CountingRule
from services.sla.domain.deadlines.deadline import compute_deadline
from shared.procedures.calendars.calendar import Calendar, default_calendar
from shared.procedures.model.duration import Duration
from tests.support.deadlines.minute_counter import CHINA, NIGHT_HOURS, OFFICE_HOURS, LocalPause, MinuteCounter

NIGHT = Calendar.parse(
    {"id": "night", "version": 1, "hours": {name: ["20:00-23:00", "23:30-06:00"] for name in ("mon", "tue", "wed", "thu", "fri")}}
)
BOUNDARIES = st.sampled_from([0, 6 * 60, 20 * 60, 23 * 60, 9 * 60, 12 * 60, 13 * 60, 18 * 60, 23 * 60 + 59])
DAYS = st.integers(0, 4 * 365).map(lambda number: datetime(2024, 1, 1) + timedelta(days=number))  # noqa: DTZ001 - the counter is naive
MINUTES = st.builds(lambda day, minute: day + timedelta(minutes=minute), DAYS, BOUNDARIES | st.integers(0, 1439))
STARTS = MINUTES | st.builds(lambda at, micros: at + timedelta(microseconds=micros), MINUTES, st.integers(-2, 59_999_999))
RULES = st.builds(
    CountingRule.parse, *(st.sampled_from(pair) for pair in (("exclusive", "inclusive"), ("forward", "none"), ("midnight", "close")))
)
TIME_DURATIONS = st.sampled_from(["1m", "90m", "2h", "30h", "1wh", "4wh", "8wh", "20wh", "0.5wd", "0.25wd", "0.333wd", "0.9999999wd"])
WORKING_DAYS = ("1wd", "3wd", "5wd", "15wd")
CALENDAR_DAYS = ("1d", "3d", "7d", "15d", "60d", "1w", "2w", "1mo", "2mo", "1q", "1y")
DAY_DURATIONS = st.sampled_from([*WORKING_DAYS, *CALENDAR_DAYS, "same_day", "same_working_day"])


@st.composite
def pauses_around(draw: st.DrawFn, start: datetime, longest: int) -> list[LocalPause]:
    """Up to three pauses around a start, in minutes; the last may be open."""
    pauses: list[LocalPause] = []
    pause_start = start.replace(second=0, microsecond=0) + timedelta(minutes=draw(st.integers(-600, 1500)))
    for _ in range(draw(st.integers(0, 3))):
        if draw(st.booleans()):
            pause_start = pause_start.replace(hour=draw(st.sampled_from([0, 6, 9, 12, 13, 18, 20])), minute=0)
        pause_end = pause_start + timedelta(minutes=draw(st.integers(0, longest)))
        if draw(st.booleans()):
            pause_end = max(pause_start, pause_end.replace(hour=draw(st.sampled_from([0, 6, 9, 12, 13, 18, 20])), minute=0))
        pauses.append((pause_start, pause_end))
        pause_start = pause_end + timedelta(minutes=draw(st.integers(0, longest)))
    if pauses and draw(st.integers(0, 5)) == 0:
        pauses[-1] = (pauses[-1][0], None)
    return pauses


def assert_agreement(start: datetime, duration: str, rule: CountingRule, pauses: list[LocalPause], *, by_night: bool) -> None:
    counter = MinuteCounter(rule.counting, rule.roll, rule.day_end, pauses, NIGHT_HOURS if by_night else OFFICE_HOURS)
    calendar = NIGHT if by_night else default_calendar()
    expected = counter.due(start, duration)
    aware_pauses = [(pause_start.replace(tzinfo=CHINA), pause_end and pause_end.replace(tzinfo=CHINA)) for pause_start, pause_end in pauses]
    deadline = compute_deadline(start.replace(tzinfo=CHINA), Duration.parse(duration), calendar, rule=rule, pauses=aware_pauses)
    instant = deadline.instant and deadline.instant.replace(tzinfo=None)
    assert instant == expected
    if expected is not None:
        assert deadline.provisional == counter.provisional
        assert counter.nominal is None or deadline.nominal == counter.nominal


@settings(max_examples=80, deadline=None)
@given(start=STARTS, duration=TIME_DURATIONS, by_night=st.booleans(), data=st.data())
def test_clock_and_working_time_agree_with_the_minute_counter(start: datetime, duration: str, by_night: bool, data: st.DataObject) -> None:
    assert_agreement(start, duration, CountingRule(), data.draw(pauses_around(start, 2000)), by_night=by_night)


@settings(max_examples=200, deadline=None)
@given(start=STARTS, duration=DAY_DURATIONS, rule=RULES, by_night=st.booleans(), data=st.data())
def test_whole_days_agree_with_the_day_counter(
    start: datetime, duration: str, rule: CountingRule, by_night: bool, data: st.DataObject
) -> None:
    assert_agreement(start, duration, rule, data.draw(pauses_around(start, 9000)), by_night=by_night)
