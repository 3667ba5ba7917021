"""The engine agrees with a brute-force minute counter over 2024 to 2027."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.sla.domain.deadlines.counting import CountingRule
from services.sla.domain.deadlines.deadline import compute_deadline
from shared.procedures.calendars.calendar import default_calendar
from shared.procedures.model.duration import Duration
from tests.support.minute_counter import CHINA, LocalPause, MinuteCounter

BOUNDARIES = st.sampled_from([0, 9 * 60, 12 * 60, 13 * 60, 18 * 60, 23 * 60 + 59])
DAYS = st.integers(0, 4 * 365).map(lambda number: datetime(2024, 1, 1) + timedelta(days=number))  # noqa: DTZ001 - the counter is naive
MINUTES = st.builds(lambda day, minute: day + timedelta(minutes=minute), DAYS, BOUNDARIES | st.integers(0, 1439))
STARTS = MINUTES | st.builds(lambda at, micros: at + timedelta(microseconds=micros), MINUTES, st.integers(-2, 59_999_999))
RULES = st.builds(
    CountingRule.parse, *(st.sampled_from(pair) for pair in (("exclusive", "inclusive"), ("forward", "none"), ("midnight", "close")))
)
HOURLY = st.sampled_from(["1m", "90m", "2h", "30h", "1wh", "4wh", "8wh", "20wh", "0.5wd", "0.25wd", "0.333wd", "0.9999999wd"])
WORKING = ("1wd", "3wd", "5wd", "15wd")
CALENDAR = ("1d", "3d", "7d", "15d", "60d", "1w", "2w", "1mo", "2mo", "1q", "1y")
DAILY = st.sampled_from([*WORKING, *CALENDAR, "same_day", "same_working_day"])


@st.composite
def paused(draw: st.DrawFn, start: datetime, longest: int) -> list[LocalPause]:
    """Up to three pauses around a start, in minutes; the last may be open."""
    found: list[LocalPause] = []
    begun = start.replace(second=0, microsecond=0) + timedelta(minutes=draw(st.integers(-600, 1500)))
    for _ in range(draw(st.integers(0, 3))):
        if draw(st.booleans()):
            begun = begun.replace(hour=draw(st.sampled_from([0, 9, 12, 13, 18])), minute=0)
        ended = begun + timedelta(minutes=draw(st.integers(0, longest)))
        if draw(st.booleans()):
            ended = max(begun, ended.replace(hour=draw(st.sampled_from([0, 9, 12, 13, 18])), minute=0))
        found.append((begun, ended))
        begun = ended + timedelta(minutes=draw(st.integers(0, longest)))
    if found and draw(st.integers(0, 5)) == 0:
        found[-1] = (found[-1][0], None)
    return found


def agree(start: datetime, written: str, rule: CountingRule, pauses: list[LocalPause]) -> None:
    counter = MinuteCounter(rule.counting, rule.roll, rule.day_end, pauses)
    expected = counter.due(start, written)
    aware = [(begun.replace(tzinfo=CHINA), ended and ended.replace(tzinfo=CHINA)) for begun, ended in pauses]
    found = compute_deadline(start.replace(tzinfo=CHINA), Duration.parse(written), default_calendar(), rule=rule, pauses=aware)
    instant = found.instant and found.instant.replace(tzinfo=None)
    assert instant == expected
    if expected is not None:
        assert found.provisional == counter.provisional
        assert counter.nominal is None or found.nominal == counter.nominal


@settings(max_examples=80, deadline=None)
@given(start=STARTS, written=HOURLY, data=st.data())
def test_hours_agree_with_the_minute_counter(start: datetime, written: str, data: st.DataObject) -> None:
    agree(start, written, CountingRule(), data.draw(paused(start, 2000)))


@settings(max_examples=200, deadline=None)
@given(start=STARTS, written=DAILY, rule=RULES, data=st.data())
def test_days_agree_with_the_day_counter(start: datetime, written: str, rule: CountingRule, data: st.DataObject) -> None:
    agree(start, written, rule, data.draw(paused(start, 9000)))
