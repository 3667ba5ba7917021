"""Clock time, working time, parts of a working day, and how durations are written."""

from __future__ import annotations

import pytest

from services.sla.domain.deadlines.counting import CountingRule, DeadlineError, add_duration
from services.sla.domain.deadlines.worktime import Worktime
from shared.procedures.calendars.calendar import Calendar, default_calendar
from shared.procedures.model.duration import Duration, DurationError
from tests.support.deadlines import at, due


@pytest.mark.parametrize(
    ("start", "duration", "expected"),
    [
        ("2026-09-24 23:50", "30m", "2026-09-25 00:20"),  # day and night
        ("2026-09-24 16:40", "2h", "2026-09-24 18:40"),
        ("2026-09-24 08:00", "3wh", "2026-09-24 12:00"),  # used up exactly at 12:00 is used up then
        ("2026-09-24 08:00", "8wh", "2026-09-24 18:00"),
        ("2026-09-24 12:30", "1wh", "2026-09-24 14:00"),
        ("2026-09-24 12:00", "1wh", "2026-09-24 14:00"),
        ("2026-09-24 18:00", "1wh", "2026-09-28 10:00"),  # 18:00 lies outside
        ("2026-09-24 17:59:59.999999", "1wh", "2026-09-28 09:59:59.999999"),
        ("2026-09-26 10:00", "1wh", "2026-09-28 10:00"),
        ("2026-09-20 10:00", "1wh", "2026-09-20 11:00"),  # a Sunday made up for
        ("2026-09-24 09:00", "0.5wd", "2026-09-24 14:00"),
        ("2026-09-24 18:00", "0.5wd", "2026-09-28 14:00"),
        ("2026-09-24 17:00", "0.25wd", "2026-09-28 10:00"),
        ("2026-09-24 09:00", "0.125wd", "2026-09-24 10:00"),
    ],
)
def test_hours(start: str, duration: str, expected: str) -> None:
    assert due(start, duration) == expected


def test_a_part_of_a_day_takes_the_hours_of_the_first_working_day_whose_close_lies_ahead() -> None:
    short = {"2026-09-24": ["09:00-11:00"], "2026-09-28": ["10:00-14:00"]}
    calendar = Calendar.parse({"id": "short", "version": 1, "days": short})
    assert due("2026-09-24 08:00", "0.5wd", calendar) == "2026-09-24 10:00"
    assert due("2026-09-24 10:30", "0.5wd", calendar) == "2026-09-28 10:30"  # one hour: half of the two
    assert due("2026-09-24 11:00", "0.5wd", calendar) == "2026-09-28 12:00"


@pytest.mark.parametrize(
    "written",
    [
        "0d",
        "0.0wd",
        "-1d",
        "1.5d",
        "1.5wd",
        "1.0wd",
        "0.5h",
        "0.5wh",
        "2.5mo",
        "3 wd",
        "wd",
        "",
        "3",
        "1e3d",
        "٣wd",
        "3WD",
        "99999999999d",
        ".5wd",
        "same",
        "date:",
    ],
)
def test_what_is_no_duration_is_refused_with_a_remedy(written: str) -> None:
    with pytest.raises(DurationError, match=r"duration .*; (write|give)"):
        Duration.parse(written)


@pytest.mark.parametrize("written", [3, None, 0.5, {"date": 3}, {"date": "x", "more": 1}, ["3d"]])
def test_only_text_or_a_named_fact_is_a_duration(written: object) -> None:
    with pytest.raises(DurationError):
        Duration.parse(written)


@pytest.mark.parametrize(
    "written", ["30m", "2h", "4wh", "0.5wd", "3wd", "15d", "1w", "1mo", "1q", "1y", "same_day", "same_working_day", "date: agreed_date"]
)
def test_a_duration_is_written_as_it_was_read(written: str) -> None:
    assert str(Duration.parse(written)) == written


def test_a_dated_duration_names_its_fact() -> None:
    assert Duration.parse({"date": "special_limit"}) == Duration.parse("date: special_limit")


def test_what_lies_outside_the_tables_is_refused() -> None:
    worktime = Worktime.for_calendar(default_calendar())
    for start, duration in [
        ("1999-12-31 10:00", "1d"),
        ("2026-01-01 10:00", "9999999d"),
        ("2099-12-31 10:00", "3wd"),
        ("9999-12-31 23:59", "1mo"),
    ]:
        with pytest.raises(DeadlineError, match="give"):
            add_duration(worktime, at(start), Duration.parse(duration))


def test_rules_are_named_in_the_error() -> None:
    with pytest.raises(DeadlineError, match=r"roll 'backward'.*forward or none"):
        CountingRule.parse(roll="backward")
