"""Durations as procedures write them: `30m 2h 4wh 0.5wd 3wd 15d 1w 1mo 1q 1y same_day same_working_day date`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final, Literal

DurationKind = Literal["clock", "working", "part", "working_days", "days", "months", "same_day", "same_working_day", "date"]
"""`clock` is elapsed time, `working` working hours, `part` a fraction of a working day (0.5wd)."""

MINUTE_MICROSECONDS: Final = 60_000_000
HOUR_MICROSECONDS: Final = 60 * MINUTE_MICROSECONDS

_AMOUNT_AND_UNIT = re.compile(r"([0-9]+(?:\.[0-9]+)?)(m|h|wh|wd|d|w|mo|q|y)")
_DATE_FACT = re.compile(r"date:\s*([a-z][a-z0-9_]*)")
_NAMED_UNITS: Final[tuple[Literal["same_day", "same_working_day"], ...]] = ("same_day", "same_working_day")
_UNITS: Final[Mapping[str, tuple[DurationKind, int]]] = {
    "m": ("clock", MINUTE_MICROSECONDS),
    "h": ("clock", HOUR_MICROSECONDS),
    "wh": ("working", HOUR_MICROSECONDS),
    "wd": ("working_days", 1),
    "d": ("days", 1),
    "w": ("days", 7),
    "mo": ("months", 1),
    "q": ("months", 3),
    "y": ("months", 12),
}
_COMMON_UNITS: Final[Mapping[DurationKind, str]] = {"clock": "m", "days": "d", "months": "mo"}
_GRAMMAR = "write 30m, 2h, 4wh, 0.5wd, 3wd, 15d, 1w, 1mo, 1q, 1y, same_day, same_working_day or date: <fact>"
_MAX_AMOUNT: Final = 10_000_000


class DurationError(ValueError):
    """A duration that cannot be read or combined; the message names the value, the rule and the remedy."""


@dataclass(frozen=True, slots=True)
class Duration:
    """A time limit: an amount and a unit, or a fact that holds an instant (`date`).

    `size` is in microseconds (kinds `clock` and `working`), days or months; a `part` is `size / denominator` of a working day.
    """

    unit: str
    amount: int | Fraction = 1
    fact: str = ""
    kind: DurationKind = field(init=False, compare=False)
    size: int = field(init=False, compare=False)
    denominator: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        # Computed here and not in properties: deadlines read them for each of thousands of cases.
        kind, factor = _UNITS.get(self.unit, (self.unit, 1))
        if self.unit == "wd" and isinstance(self.amount, Fraction):
            kind = "part"
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "size", self.amount.numerator * factor)
        object.__setattr__(self, "denominator", self.amount.denominator)

    @classmethod
    def parse(cls, value: object) -> Duration:
        """Parse a text, or a mapping `{date: fact}`; raises `DurationError`."""
        if isinstance(value, Mapping):
            return _from_mapping(value)
        if not isinstance(value, str):
            raise DurationError(f"duration {value!r}: must be text; {_GRAMMAR}")
        text = value.strip()
        if text in _NAMED_UNITS:
            return cls(text)
        if match := _DATE_FACT.fullmatch(text):
            return cls("date", fact=match[1])
        if match := _AMOUNT_AND_UNIT.fullmatch(text):
            return cls(match[2], _amount(text, match[1], match[2]))
        raise DurationError(f"duration {value!r}: is not a duration; {_GRAMMAR}")

    def __str__(self) -> str:
        """The text from which `parse` makes the same duration."""
        if self.unit == "date":
            return f"date: {self.fact}"
        if self.unit in _NAMED_UNITS:
            return self.unit
        return f"{_decimal(self.amount)}{self.unit}"

    @property
    def pausable(self) -> bool:
        """Whether a pause moves a deadline of this duration; it does not move `same_day`, `same_working_day` and `date`."""
        return self.unit in _UNITS

    def plus(self, extension: Duration) -> Duration:
        """The duration with an extension added: in the same unit, or m with h, d with w, mo with q and y; raises `DurationError`."""
        if not self.pausable or not _same_family(self, extension):
            raise DurationError(
                f"extension by {extension}: is not in the unit of {self}; give {_compatible_units(self)}, or extend until an instant"
            )
        unit, total = self.unit, self.amount + extension.amount
        if self.unit != extension.unit:
            unit = _COMMON_UNITS[self.kind]
            total = (self.size + extension.size) // _UNITS[unit][1]
        if isinstance(total, Fraction) and total.denominator == 1:
            total = int(total)
        if isinstance(total, Fraction) and total > 1:
            raise DurationError(
                f"extension by {extension}: {self} would become {_decimal(total)}wd, a fraction above 1; extend until an instant"
            )
        return Duration(unit, total)

    def times(self, count: int) -> Duration:
        """`count` times the duration, for the occurrences of a repeat; raises `DurationError` for a duration without an amount."""
        if not self.pausable:
            raise DurationError(f"every {self}: does not repeat; give a duration with an amount, such as 3d")
        return replace(self, amount=self.amount * count)


def _from_mapping(mapping: Mapping[object, object]) -> Duration:
    fact = mapping.get("date")
    if len(mapping) != 1 or not isinstance(fact, str) or not _DATE_FACT.fullmatch(f"date: {fact}"):
        raise DurationError(f"duration {dict(mapping)!r}: a mapping names one fact; write date: <fact>")
    return Duration("date", fact=fact)


def _amount(text: str, number: str, unit: str) -> int | Fraction:
    value = Fraction(number)  # a float of 0.1wd would be due a microsecond early or late
    if value <= 0:
        raise DurationError(f"duration {text!r}: the amount must be greater than zero; give at least 1{unit}")
    if value > _MAX_AMOUNT:
        raise DurationError(f"duration {text!r}: the amount must not exceed {_MAX_AMOUNT}; give a shorter one")
    if "." not in number:
        return int(value)
    if unit != "wd" or value >= 1:
        raise DurationError(f"duration {text!r}: only wd takes a fraction, and only below 1; give whole {unit} or a smaller unit")
    return value


def _same_family(one: Duration, other: Duration) -> bool:
    if one.unit == other.unit:
        return True
    return one.kind == other.kind and one.kind in _COMMON_UNITS


def _compatible_units(duration: Duration) -> str:
    units = [unit for unit, (kind, _) in _UNITS.items() if duration.pausable and kind == _UNITS[duration.unit][0]]
    return " or ".join(units) if units else "no amount"


def _decimal(amount: int | Fraction) -> str:
    if isinstance(amount, int):
        return str(amount)
    return f"{amount.numerator / amount.denominator:.12f}".rstrip("0").rstrip(".")
