"""Time limits: extensions and agreed dates."""

from __future__ import annotations

from typing import Any

import pytest

from services.sla.domain.deadlines.counting import DeadlineError
from shared.procedures.model.duration import DurationError
from tests.support.deadlines.shorthand import due, is_provisional


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
def test_extension_lengthens_the_duration_or_replaces_the_instant(duration: str, extensions: list[str], expected: str) -> None:
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
def test_extension_in_another_unit_is_refused(duration: str, by: str) -> None:
    with pytest.raises(DurationError, match="until an instant"):
        due("2026-09-21 09:00", duration, extensions=[by])


def test_extension_by_a_duration_after_one_until_an_instant_is_refused() -> None:
    with pytest.raises(DeadlineError, match="extend until a later instant"):
        due("2026-09-21 09:00", "3d", extensions=["2026-09-23 10:00", "1d"])


def test_pause_does_not_move_an_extension_until_an_instant() -> None:
    assert due("2026-09-21 09:00", "3d", extensions=["2026-09-23 10:00"], pauses=[("2026-09-22 09:00", None)]) == "2026-09-23 10:00"


@pytest.mark.parametrize(
    ("duration", "options", "expected"),
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
def test_agreed_date_replaces_the_counted_instant(duration: str, options: dict[str, Any], expected: str | None) -> None:
    assert due("2026-09-24 09:00", duration, **options) == expected


def test_agreed_date_within_the_published_schedule_is_not_provisional() -> None:
    assert not is_provisional("2026-12-30 09:00", "10wd", agreed="2026-12-31 10:00", or_agreed="earlier")
    assert is_provisional("2026-12-30 09:00", "10wd", agreed="2027-01-05 10:00", or_agreed="earlier")
