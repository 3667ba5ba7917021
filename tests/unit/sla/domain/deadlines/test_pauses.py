"""Pauses: merging them, and counting durations around them."""

from __future__ import annotations

import pytest

from services.sla.domain.deadlines.pauses import PauseError, merge_pauses
from tests.support.deadlines.shorthand import due

LocalPauses = list[tuple[str, str | None]]


@pytest.mark.parametrize(
    ("start", "duration", "pauses", "expected"),
    [
        ("2026-09-21 09:00", "2h", [("2026-09-21 10:00", "2026-09-21 15:00")], "2026-09-21 16:00"),
        ("2026-09-21 09:00", "2h", [("2026-09-21 11:00", "2026-09-21 15:00")], "2026-09-21 11:00"),  # due when the pause begins
        ("2026-09-21 09:00", "4wh", [("2026-09-21 10:00", "2026-09-21 14:00")], "2026-09-21 17:00"),
        ("2026-09-21 09:00", "4wh", [("2026-09-21 18:00", None)], "2026-09-21 14:00"),
        ("2026-09-21 09:00", "4wh", [("2026-09-21 13:59", None)], None),
        ("2026-09-21 09:00", "2h", [("2026-09-21 08:00", "2026-09-21 10:00")], "2026-09-21 12:00"),
        ("2026-09-21 09:00", "2h", [("2026-09-21 07:00", "2026-09-21 08:00")], "2026-09-21 11:00"),
        # a day counts unless the clock is paused at the day's end
        ("2026-09-21 09:00", "1wd", [("2026-09-22 10:00", "2026-09-22 17:59")], "2026-09-22 18:00"),
        ("2026-09-21 09:00", "1wd", [("2026-09-22 10:00", "2026-09-22 18:00")], "2026-09-23 18:00"),  # resumed at the day's end: too late
        ("2026-09-21 09:00", "1wd", [("2026-09-22 18:00", "2026-09-25 00:00")], "2026-09-22 18:00"),  # paused at the day's end: too late
        ("2026-09-21 09:00", "1wd", [("2026-09-21 10:00", "2026-09-21 20:00")], "2026-09-22 18:00"),  # only the start day was paused
        ("2026-09-21 09:00", "2d", [("2026-09-22 23:59", "2026-09-23 00:00")], "2026-09-25 00:00"),
        ("2026-09-21 09:00", "2d", [("2026-09-23 00:00", "2026-09-23 23:59")], "2026-09-24 00:00"),
        ("2026-09-21 09:00", "2d", [("2026-09-22 12:00", None)], None),
        ("2026-09-21 09:00", "1mo", [("2026-10-01 00:00", "2026-10-03 00:00")], "2026-10-24 00:00"),  # 30 days, paused like d
        # the roll comes after counting, to a working day at whose end the clock is not paused
        ("2026-09-24 09:00", "3d", [("2026-09-28 09:00", "2026-09-28 23:00")], "2026-09-29 00:00"),
        ("2026-09-24 09:00", "3d", [("2026-09-28 09:00", "2026-09-29 01:00")], "2026-09-30 00:00"),
        ("2026-09-24 09:00", "3d", [("2026-09-28 09:00", None)], None),
        # durations that do not pause
        ("2026-09-21 09:00", "same_day", [("2026-09-21 10:00", None)], "2026-09-22 00:00"),
        ("2026-09-21 09:00", "same_working_day", [("2026-09-21 10:00", None)], "2026-09-21 18:00"),
    ],
)
def test_paused_time_does_not_count(start: str, duration: str, pauses: LocalPauses, expected: str | None) -> None:
    assert due(start, duration, pauses=pauses) == expected


def test_inclusive_start_day_counts_unless_paused_at_its_end() -> None:
    assert due("2026-09-21 09:00", "1wd", counting="inclusive", pauses=[("2026-09-21 17:00", "2026-09-21 19:00")]) == "2026-09-22 18:00"
    assert due("2026-09-21 09:00", "1d", counting="inclusive", pauses=[("2026-09-21 17:00", "2026-09-22 01:00")]) == "2026-09-23 00:00"


def test_pauses_that_touch_or_overlap_are_merged() -> None:
    assert merge_pauses([(5, 9), (1, 3), (2, 4), (4, 5)]) == ((1, 9),)
    assert merge_pauses([(1, None), (2, 3)]) == ((1, None),)
    assert merge_pauses([(1, 10), (2, 3)]) == ((1, 10),)
    with pytest.raises(PauseError, match="ends before it begins"):
        merge_pauses([(2, 1)])
