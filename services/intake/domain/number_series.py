"""Case numbers: the series that a registration belongs to, and the format of its numbers."""

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo

_PLACEHOLDER = re.compile(r"\{(year|seq)(?::(0\d{1,2}))?\}")


@dataclass(frozen=True, slots=True, order=True)
class NumberSeries:
    """The case numbers of one register (a procedure's id) in one year."""

    register: str
    year: int


def series_at(register: str, at: datetime, zone: tzinfo) -> NumberSeries:
    """The series of a registration at that instant; `zone` is that of the procedure's calendar."""
    # By UTC a registration in the first hours of a year in China would get a number of the year before.
    return NumberSeries(register, at.astimezone(zone).year)


def format_number(pattern: str, year: int, seq: int) -> str:
    """The case number after a pattern such as TS-{year}-{seq:05}; raises `ValueError` for a pattern without {seq}."""
    if "{seq" not in pattern:
        raise ValueError(f"register.number {pattern!r} has no {{seq}}, so that numbers would repeat; write e.g. TS-{{year}}-{{seq:05}}")
    values = {"year": year, "seq": seq}
    return _PLACEHOLDER.sub(lambda match: format(values[match[1]], match[2] or ""), pattern)


def read_number(pattern: str, number: str) -> tuple[int | None, int] | None:
    """Year (None where the pattern has none) and place in the series of a case number; None for a number of another pattern."""
    parts = _PLACEHOLDER.split(pattern)
    # `split` gives text, name and format in turn.
    groups = [rf"(?P<{name}>\d+)" if name else "" for name in parts[1::3]]
    texts = [re.escape(text) for text in parts[0::3]]
    expression = "".join(part for pair in zip(texts, [*groups, ""], strict=True) for part in pair)
    found = re.fullmatch(expression, number)
    if found is None:
        return None
    return (int(found["year"]) if "year" in found.groupdict() else None), int(found["seq"])
