"""Case numbers and their series."""

from datetime import UTC

import pytest

from services.intake.domain.number_series import NumberSeries, format_number, read_number, series_at
from tests.unit.intake.conftest import CHINA, NOW


@pytest.mark.parametrize(
    ("pattern", "number"),
    [("TS-{year}-{seq:05}", "TS-2027-00042"), ("{seq}", "42"), ("{year}/{seq:03}号", "2027/042号"), ("A{x}{seq}", "A{x}42")],
)
def test_number_follows_the_pattern_and_is_read_by_it(pattern: str, number: str) -> None:
    assert format_number(pattern, 2027, 42) == number
    assert read_number(pattern, number) == (2027 if "{year}" in pattern else None, 42)


@pytest.mark.parametrize("number", ["SS-2027-00042", "TS-2027-", "TS-2027-00042x"])
def test_number_of_another_pattern_is_not_read(number: str) -> None:
    assert read_number("TS-{year}-{seq:05}", number) is None


def test_pattern_without_sequence_is_rejected() -> None:
    with pytest.raises(ValueError, match=r"has no \{seq\}"):
        format_number("TS-{year}", 2027, 1)


def test_year_is_read_in_the_calendar_zone() -> None:
    assert series_at("shop", NOW, CHINA) == NumberSeries("shop", 2027)
    assert series_at("shop", NOW, UTC) == NumberSeries("shop", 2026)
