"""Scales of axes with round ticks."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final

_STEPS: Final = (1, 2, 5, 10)
_MOST_TICKS: Final = 5


@dataclass(frozen=True, slots=True)
class Scale:
    """A scale from 0 to `top` with ticks every `step`."""

    top: float
    step: float

    @property
    def ticks(self) -> tuple[float, ...]:
        """The values of the ticks, 0 and the top among them."""
        return tuple(number * self.step for number in range(round(self.top / self.step) + 1))


def scale_for(largest: float) -> Scale:
    """The scale with at most six ticks that reaches the largest value; whole numbers up to 5 have a tick each."""
    if largest <= 0:
        return Scale(1, 1)
    magnitude = 10.0 ** floor(log10(largest / _MOST_TICKS)) if largest > _MOST_TICKS else 1.0
    step = next(factor * magnitude for factor in _STEPS if largest <= factor * magnitude * _MOST_TICKS)
    return Scale(ceil(largest / step) * step, step)


def number_text(value: float) -> str:
    """A number as people read it: thousands apart, at most one decimal."""
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"
