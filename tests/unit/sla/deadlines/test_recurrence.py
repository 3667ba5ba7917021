"""Clocks that repeat, and the procedure's own clocks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.sla.domain.deadlines.deadline import TimeLimit
from services.sla.domain.deadlines.recurrence import RepeatOccurrence, align_to_period, next_occurrence, nth_occurrence, period_start
from services.sla.domain.deadlines.worktime import MICROSECOND, Worktime
from shared.procedures.calendars.calendar import default_calendar
from shared.procedures.model.duration import Duration, DurationError
from tests.support.deadlines import at, limit, local_text

WORKTIME = Worktime.for_calendar(default_calendar())


def firings(found: TimeLimit, count: int) -> list[RepeatOccurrence]:
    fired: list[RepeatOccurrence] = []
    while len(fired) < count:
        one = next_occurrence(WORKTIME, found, fired[-1].due if fired else None)
        assert one is not None
        fired.append(one)
    return fired


def test_each_occurrence_is_counted_from_the_nominal_day_and_rolled_alone() -> None:
    fired = firings(limit("2026-09-24 16:40", "3d"), 4)  # a Thursday before a three-day holiday
    assert [local_text(one.due) for one in fired] == ["2026-09-29 00:00", "2026-10-01 00:00", "2026-10-09 00:00", "2026-10-10 00:00"]
    nominal = [str(WORKTIME.date_of(one.nominal)) for one in fired if one.nominal is not None]
    assert nominal == ["2026-09-27", "2026-09-30", "2026-10-03", "2026-10-09"]


def test_occurrences_that_roll_to_the_same_instant_fire_once() -> None:
    third = firings(limit("2026-09-24 16:40", "3d"), 3)[2]
    assert (third.number, third.merged_count) == (3, 2)


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        ("2wd", ["2026-09-28 18:00", "2026-09-30 18:00", "2026-10-09 18:00", "2026-10-12 18:00"]),
        ("12h", ["2026-09-24 04:00", "2026-09-24 16:00", "2026-09-25 04:00", "2026-09-25 16:00"]),
        ("6wh", ["2026-09-24 14:00", "2026-09-28 11:00", "2026-09-28 18:00", "2026-09-29 16:00"]),
        ("0.5wd", ["2026-09-24 11:00", "2026-09-24 16:00", "2026-09-28 11:00", "2026-09-28 16:00"]),
    ],
)
def test_hours_and_working_days_repeat_by_themselves(every: str, expected: list[str]) -> None:
    assert [local_text(one.due) for one in firings(limit("2026-09-23 16:00", every), 4)] == expected


def test_months_repeat_from_the_start_and_never_drift() -> None:
    fired = firings(limit("2026-01-31 09:00", "1mo", roll="none"), 4)
    assert [local_text(one.due) for one in fired] == ["2026-03-01 00:00", "2026-04-01 00:00", "2026-05-01 00:00", "2026-06-01 00:00"]


def test_an_open_pause_holds_a_repeat_back() -> None:
    paused = limit("2026-09-21 09:00", "1d", pauses=[("2026-09-23 12:00", None)])
    first, second = next_occurrence(WORKTIME, paused), next_occurrence(WORKTIME, paused, at("2026-09-23 00:00"))
    assert first is not None
    assert local_text(first.due) == "2026-09-23 00:00"
    assert second is None


@pytest.mark.parametrize("every", ["same_day", "same_working_day", "date: x"])
def test_what_has_no_amount_does_not_repeat(every: str) -> None:
    with pytest.raises(DurationError, match="does not repeat"):
        nth_occurrence(WORKTIME, limit("2026-09-21 09:00", every), 2)


@pytest.mark.parametrize(
    ("every", "begins", "ends"),
    [
        ("1w", "2026-10-05 00:00", "2026-10-13 00:00"),  # the Sunday rolls to Monday
        ("1mo", "2026-10-01 00:00", "2026-11-03 00:00"),  # 31 October is a Saturday
        ("1q", "2026-10-01 00:00", "2027-01-01 00:00"),
        ("1y", "2026-01-01 00:00", "2027-01-01 00:00"),
    ],
)
def test_a_procedures_own_clock_starts_inclusive_on_the_first_day_of_its_period(every: str, begins: str, ends: str) -> None:
    found = align_to_period(WORKTIME, limit("2026-10-10 09:30", every))
    first = next_occurrence(WORKTIME, found)
    assert first is not None
    assert (local_text(found.start), local_text(first.due)) == (begins, ends)


def test_other_periods_are_refused() -> None:
    with pytest.raises(DurationError, match="1w, 1mo, 1q or 1y"):
        period_start(WORKTIME, Duration.parse("3d"), at("2026-10-10 09:30"))


@settings(max_examples=60, deadline=None)
@given(
    every=st.sampled_from(["1d", "3d", "1w", "2wd", "5h", "3wh", "1mo"]),
    minutes=st.integers(0, 400_000),
    ahead=st.integers(0, 200_000),
)
def test_the_next_firing_is_the_first_that_lies_ahead(every: str, minutes: int, ahead: int) -> None:
    found = limit("2026-01-01 00:00", every)
    found = TimeLimit(found.start + minutes * (timedelta(minutes=1) // MICROSECOND), found.duration)
    after = found.start + ahead * (timedelta(minutes=1) // MICROSECOND)
    one = next_occurrence(WORKTIME, found, after)
    assert one is not None
    assert one.due > after
    before = nth_occurrence(WORKTIME, found, one.number - 1)[0] if one.number > 1 else None
    assert before is None or before <= after
    assert nth_occurrence(WORKTIME, found, one.number + one.merged_count - 1)[0] == one.due
    following = nth_occurrence(WORKTIME, found, one.number + one.merged_count)[0]
    assert following is not None
    assert following > one.due
