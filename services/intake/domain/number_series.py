"""Case numbers: human-readable, gapless per register and year, the year read in the calendar's zone."""

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo

_PLACEHOLDER = re.compile(r"\{(year|seq)(?::(0\d{1,2}))?\}")


@dataclass(frozen=True, slots=True, order=True)
class NumberSeries:
    """One numbered book: a procedure's register in one year."""

    register: str
    year: int


def series_at(register: str, at: datetime, zone: tzinfo) -> NumberSeries:
    """The book that a registration at that instant is entered in."""
    return NumberSeries(register, at.astimezone(zone).year)


def format_number(pattern: str, year: int, seq: int) -> str:
    """The number in the procedure's pattern, e.g. TS-{year}-{seq:05}; raises `ValueError` for a pattern without {seq}."""
    if "{seq" not in pattern:
        raise ValueError(f"register.number {pattern!r} has no {{seq}}, so that numbers would repeat; write e.g. TS-{{year}}-{{seq:05}}")
    values = {"year": year, "seq": seq}
    return _PLACEHOLDER.sub(lambda match: format(values[match[1]], match[2] or ""), pattern)
