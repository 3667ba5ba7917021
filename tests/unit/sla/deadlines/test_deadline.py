"""Pauses, extensions and agreed dates."""

from __future__ import annotations

from typing import Any

import pytest

from services.sla.domain.deadlines.counting import DeadlineError
from services.sla.domain.deadlines.pauses import PauseError, merge_pauses
from shared.procedures.model.duration import DurationError
from tests.support.deadlines import due, is_provisional

Pauses = list[tuple[str, str | None]]


@pytest.mark.parametrize(
    ("start", "duration", "pauses", "expected"),
    [
        ("2026-09-21 09:00", "2h", [("2026-09-21 10:00", "2026-09-21 15:00")], "2026-09-21 16:00"),
        ("2026-09-21 09:00", "2h", [("2026-09-21 11:00", "2026-09-21 15:00")], "2026-09-21 11:00"),  # due comes before a pause
        ("2026-09-21 09:00", "4wh", [("2026-09-21 10:00", "2026-09-21 14:00")], "2026-09-21 17:00"),
        ("2026-09-21 09:00", "4wh", [("2026-09-21 18:00", None)], "2026-09-21 14:00"),
        ("2026-09-21 09:00", "4wh", [("2026-09-21 13:59", None)], None),
        ("2026-09-21 09:00", "2h", [("2026-09-21 08:00", "2026-09-21 10:00")], "2026-09-21 12:00"),
        ("2026-09-21 09:00", "2h", [("2026-09-21 07:00", "2026-09-21 08:00")], "2026-09-21 11:00"),
        # whole days count by their end
        ("2026-09-21 09:00", "1wd", [("2026-09-22 10:00", "2026-09-22 17:59")], "2026-09-22 18:00"),
        ("2026-09-21 09:00", "1wd", [("2026-09-22 10:00", "2026-09-22 18:00")], "2026-09-23 18:00"),  # resumed too late to save it
        ("2026-09-21 09:00", "1wd", [("2026-09-22 18:00", "2026-09-25 00:00")], "2026-09-22 18:00"),  # paused too late to hold it
        ("2026-09-21 09:00", "1wd", [("2026-09-21 10:00", "2026-09-21 20:00")], "2026-09-22 18:00"),  # the start day counts not at all
        ("2026-09-21 09:00", "2d", [("2026-09-22 23:59", "2026-09-23 00:00")], "2026-09-25 00:00"),
        ("2026-09-21 09:00", "2d", [("2026-09-23 00:00", "2026-09-23 23:59")], "2026-09-24 00:00"),
        ("2026-09-21 09:00", "2d", [("2026-09-22 12:00", None)], None),
        ("2026-09-21 09:00", "1mo", [("2026-10-01 00:00", "2026-10-03 00:00")], "2026-10-24 00:00"),  # 30 days, pausing like d
        # the roll comes after the counting, to a day at whose end the clock is not paused
        ("2026-09-24 09:00", "3d", [("2026-09-28 09:00", "2026-09-28 23:00")], "2026-09-29 00:00"),
        ("2026-09-24 09:00", "3d", [("2026-09-28 09:00", "2026-09-29 01:00")], "2026-09-30 00:00"),
        ("2026-09-24 09:00", "3d", [("2026-09-28 09:00", None)], None),
        # what cannot pause
        ("2026-09-21 09:00", "same_day", [("2026-09-21 10:00", None)], "2026-09-22 00:00"),
        ("2026-09-21 09:00", "same_working_day", [("2026-09-21 10:00", None)], "2026-09-21 18:00"),
    ],
)
def test_paused_time_does_not_count(start: str, duration: str, pauses: Pauses, expected: str | None) -> None:
    assert due(start, duration, pauses=pauses) == expected


def test_an_inclusive_start_day_counts_unless_paused_at_its_end() -> None:
    assert due("2026-09-21 09:00", "1wd", counting="inclusive", pauses=[("2026-09-21 17:00", "2026-09-21 19:00")]) == "2026-09-22 18:00"
    assert due("2026-09-21 09:00", "1d", counting="inclusive", pauses=[("2026-09-21 17:00", "2026-09-22 01:00")]) == "2026-09-23 00:00"


def test_pauses_that_touch_or_overlap_are_joined() -> None:
    assert merge_pauses([(5, 9), (1, 3), (2, 4), (4, 5)]) == ((1, 9),)
    assert merge_pauses([(1, None), (2, 3)]) == ((1, None),)
    assert merge_pauses([(1, 10), (2, 3)]) == ((1, 10),)
    with pytest.raises(PauseError, match="ends before it begins"):
        merge_pauses([(2, 1)])


@pytest.mark.parametrize(
    ("duration", "extensions", "expected"),
    [
        ("3d", ["2d"], "2026-09-29 00:00"),
        ("3d", ["1w"], "2026-10-09 00:00"),  # d and w go together
        ("3wd", ["2wd"], "2026-09-29 18:00"),
        ("30m", ["2h"], "2026-09-21 11:30"),
        ("1mo", ["1q", "1y"], "2028-01-22 00:00"),
        ("0.5wd", ["0.25wd"], "2026-09-21 16:00"),
        ("0.5wd", ["0.5wd"], "2026-09-22 18:00"),
        ("4wh", ["4wh"], "2026-09-21 18:00"),
        ("3d", ["2026-09-23 10:00"], "2026-09-23 10:00"),
        ("same_day", ["2026-09-23 10:00"], "2026-09-23 10:00"),
        ("3d", ["2026-09-23 10:00", "2026-09-24 10:00"], "2026-09-24 10:00"),
    ],
)
def test_an_extension_lengthens_the_duration_or_replaces_the_instant(duration: str, extensions: list[str], expected: str) -> None:
    assert due("2026-09-21 09:00", duration, extensions=extensions) == expected


@pytest.mark.parametrize(
    ("duration", "by"),
    [
        ("3d", "2wd"),
        ("3wd", "2d"),
        ("4wh", "2h"),
        ("2h", "1d"),
        ("1mo", "15d"),
        ("same_day", "1d"),
        ("date: x", "1d"),
        ("3wd", "0.5wd"),
        ("0.5wd", "1wd"),
    ],
)
def test_by_has_the_unit_of_the_duration(duration: str, by: str) -> None:
    with pytest.raises(DurationError, match="until an instant"):
        due("2026-09-21 09:00", duration, extensions=[by])


def test_no_by_is_taken_after_an_until() -> None:
    with pytest.raises(DeadlineError, match="extend until a later instant"):
        due("2026-09-21 09:00", "3d", extensions=["2026-09-23 10:00", "1d"])


def test_pauses_do_not_move_until() -> None:
    assert due("2026-09-21 09:00", "3d", extensions=["2026-09-23 10:00"], pauses=[("2026-09-22 09:00", None)]) == "2026-09-23 10:00"


@pytest.mark.parametrize(
    ("duration", "rest", "expected"),
    [
        ("date: agreed_date", {}, None),
        ("date: agreed_date", {"agreed": "2026-09-26 10:00"}, "2026-09-26 10:00"),
        ("3d", {"agreed": "2026-10-20 10:00", "or_agreed": True}, "2026-10-20 10:00"),
        ("3d", {"agreed": "2026-10-20 10:00"}, "2026-09-29 00:00"),
        ("3d", {"agreed": "2026-10-20 10:00", "or_agreed": "earlier"}, "2026-09-29 00:00"),
        ("3d", {"agreed": "2026-09-28 10:00", "or_agreed": "earlier"}, "2026-09-28 10:00"),  # compared after rolling
        ("3d", {"or_agreed": "earlier"}, "2026-09-29 00:00"),
    ],
)
def test_an_agreed_date(duration: str, rest: dict[str, Any], expected: str | None) -> None:
    assert due("2026-09-24 09:00", duration, **rest) == expected


def test_an_agreed_date_before_the_horizon_is_certain() -> None:
    assert not is_provisional("2026-12-30 09:00", "10wd", agreed="2026-12-31 10:00", or_agreed="earlier")
    assert is_provisional("2026-12-30 09:00", "10wd", agreed="2027-01-05 10:00", or_agreed="earlier")
