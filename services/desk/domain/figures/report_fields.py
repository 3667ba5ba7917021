"""The figures of a report as rows of names and texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

_HOUR: Final = 3_600_000_000
"""Times of a report are in microseconds."""
_DATES: Final = slice(0, 10)


def report_rows(figures: Mapping[str, Any], named: Callable[[str], str]) -> list[tuple[str, str]]:
    """One row for each number: the names on the way to it, and the number; shares as per cent, times in hours."""
    return [(" · ".join(named(name) for name in path), _text(path, value)) for path, value in _leaves(figures, ())]


def report_days(period: Mapping[str, Any]) -> str:
    """First day of the period and the day after it, as the report names them."""
    return f"{str(period.get('from', ''))[_DATES]} – {str(period.get('to', ''))[_DATES]}"


def first_day(period: Mapping[str, Any]) -> str:
    """The day by which a report's address names its period."""
    return str(period.get("from", ""))[_DATES]


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, str(name)))
    else:
        yield path, value


def _text(path: tuple[str, ...], value: Any) -> str:
    if value is None:
        return "–"
    if path[-1] == "rate":
        return f"{value:.1%}"
    if path[0] == "time" and isinstance(value, int):
        return f"{value / _HOUR:.1f} h"
    return str(value)
