"""Occurrences of repeating clocks, and the periods of duties."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.sla.domain.deadlines.deadline import TimeLimit
from services.sla.domain.deadlines.recurrence import RepeatOccurrence, align_to_period, next_occurrence, nth_occurrence, period_start
from services.sla.domain.deadlines.worktime import MICROS_PER_MINUTE, Worktime
from shared.procedures.calendars.calendar import default_calendar
from shared.procedures.model.duration import Duration, DurationError
from tests.support.deadlines.shorthand import at, limit, local_text

WORKTIME = Worktime.for_calendar(default_calendar())


def first_occurrences(repeating: TimeLimit, count: int) -> list[RepeatOccurrence]:
    occurrences: list[RepeatOccurrence] = []
    while len(occurrences) < count:
        occurrence = next_occurrence(WORKTIME, repeating, occurrences[-1].due if occurrences else None)
        assert occurrence is not None
        occurrences.append(occurrence)
    return occurrences


def local_dues(occurrences: list[RepeatOccurrence]) -> list[str | None]:
    return [local_text(occurrence.due) for occurrence in occurrences]


def test_occurrence_is_counted_from_the_nominal_day_before_it_and_rolled_by_itself() -> None:
    occurrences = first_occurrences(limit("2026-09-24 16:40", "3d"), 4)  # a Thursday before a three-day holiday
    assert local_dues(occurrences) == ["2026-09-29 00:00", "2026-10-01 00:00", "2026-10-09 00:00", "2026-10-10 00:00"]
    nominal_days = [str(WORKTIME.date_of(occurrence.nominal)) for occurrence in occurrences if occurrence.nominal is not None]
    assert nominal_days == ["2026-09-27", "2026-09-30", "2026-10-03", "2026-10-09"]


def test_occurrences_that_roll_to_the_same_instant_fire_once() -> None:
    third = first_occurrences(limit("2026-09-24 16:40", "3d"), 3)[2]
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
def test_repeats_count_in_their_unit(every: str, expected: list[str]) -> None:
    assert local_dues(first_occurrences(limit("2026-09-23 16:00", every), 4)) == expected


def test_repeated_months_do_not_drift_from_the_start_day() -> None:
    occurrences = first_occurrences(limit("2026-01-31 09:00", "1mo", roll="none"), 4)
    assert local_dues(occurrences) == ["2026-03-01 00:00", "2026-04-01 00:00", "2026-05-01 00:00", "2026-06-01 00:00"]


def test_open_pause_holds_a_repeat() -> None:
    paused = limit("2026-09-21 09:00", "1d", pauses=[("2026-09-23 12:00", None)])
    first, second = next_occurrence(WORKTIME, paused), next_occurrence(WORKTIME, paused, at("2026-09-23 00:00"))
    assert first is not None
    assert local_text(first.due) == "2026-09-23 00:00"
    assert second is None


@pytest.mark.parametrize("every", ["same_day", "same_working_day", "date: x"])
def test_duration_without_an_amount_does_not_repeat(every: str) -> None:
    with pytest.raises(DurationError, match="does not repeat"):
        nth_occurrence(WORKTIME, limit("2026-09-21 09:00", every), 2)


@pytest.mark.parametrize(
    ("every", "start", "due"),
    [
        ("1w", "2026-10-05 00:00", "2026-10-13 00:00"),  # the Sunday rolls to Monday
        ("1mo", "2026-10-01 00:00", "2026-11-03 00:00"),  # 31 October is a Saturday
        ("1q", "2026-10-01 00:00", "2027-01-01 00:00"),
        ("1y", "2026-01-01 00:00", "2027-01-01 00:00"),
    ],
)
def test_procedures_own_clock_counts_inclusively_from_the_first_day_of_its_period(every: str, start: str, due: str) -> None:
    aligned = align_to_period(WORKTIME, limit("2026-10-10 09:30", every))
    first = next_occurrence(WORKTIME, aligned)
    assert first is not None
    assert (local_text(aligned.start), local_text(first.due)) == (start, due)


def test_period_that_is_no_week_month_quarter_or_year_is_refused() -> None:
    with pytest.raises(DurationError, match="1w, 1mo, 1q or 1y"):
        period_start(WORKTIME, Duration.parse("3d"), at("2026-10-10 09:30"))


def due_of(repeating: TimeLimit, number: int) -> int:
    due, _, _ = nth_occurrence(WORKTIME, repeating, number)
    assert due is not None
    return due


@settings(max_examples=60, deadline=None)
@given(
    every=st.sampled_from(["1d", "3d", "1w", "2wd", "5h", "3wh", "1mo"]),
    minutes=st.integers(0, 400_000),
    ahead=st.integers(0, 200_000),
)
def test_next_occurrence_is_the_first_later_than_the_instant(every: str, minutes: int, ahead: int) -> None:
    repeating = TimeLimit(at("2026-01-01 00:00") + minutes * MICROS_PER_MINUTE, Duration.parse(every))
    after = repeating.start + ahead * MICROS_PER_MINUTE
    occurrence = next_occurrence(WORKTIME, repeating, after)
    assert occurrence is not None
    assert occurrence.due > after
    last_merged = occurrence.number + occurrence.merged_count - 1
    assert occurrence.number == 1 or due_of(repeating, occurrence.number - 1) <= after
    assert due_of(repeating, last_merged) == occurrence.due
    assert due_of(repeating, last_merged + 1) > occurrence.due
