"""Durations as they are written and read."""

from __future__ import annotations

import pytest

from shared.procedures.model.duration import Duration, DurationError


@pytest.mark.parametrize(
    "text",
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
def test_invalid_duration_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(DurationError, match=r"duration .*; (write|give)"):
        Duration.parse(text)


@pytest.mark.parametrize("value", [3, None, 0.5, {"date": 3}, {"date": "x", "more": 1}, ["3d"]])
def test_duration_is_text_or_a_mapping_with_one_fact(value: object) -> None:
    with pytest.raises(DurationError):
        Duration.parse(value)


@pytest.mark.parametrize(
    "text", ["30m", "2h", "4wh", "0.5wd", "3wd", "15d", "1w", "1mo", "1q", "1y", "same_day", "same_working_day", "date: agreed_date"]
)
def test_duration_is_formatted_as_it_was_written(text: str) -> None:
    assert str(Duration.parse(text)) == text


def test_mapping_and_text_name_the_same_date_fact() -> None:
    assert Duration.parse({"date": "special_limit"}) == Duration.parse("date: special_limit")
