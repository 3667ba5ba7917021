"""Rates from the instants at which complaints went through a stage, and when a rate is back after a fault."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

STAGES = ("accepted", "decided", "published", "sent")
BACK = 0.95
"""Of the rate before the fault."""
WINDOW_SECONDS = 5.0
USUAL_SECONDS = 20.0
"""The rate before a fault is that of so long a time, at most that of the load: the backlog of an earlier fault is not usual."""
BEFORE_SECONDS = 10.0
"""Drawn before the beginning of a fault."""
AFTER_SECONDS = 20.0
"""How long a rate has to come back, from when the servers answer and every group is whole; then comes the next fault."""
_STEP_SECONDS = 0.1
_BIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class FaultMarks:
    """Instants of one fault in real seconds: its cause began and was over, the servers answered, every consumer group was whole."""

    began: float
    over: float
    answering: float
    whole: float


@dataclass(frozen=True, slots=True)
class StageRecovery:
    """Of one stage: the rate before the fault, the least rate after its beginning, seconds from `whole` until the rate was back.

    `seconds` is None where it was not back within AFTER_SECONDS. `drawn` are the rates of each second from BEFORE_SECONDS before the
    beginning.
    """

    usual: float
    least: float
    seconds: float | None
    drawn: tuple[float, ...]


def rate(instants: Sequence[float], begin: float, end: float) -> float:
    """How many of the sorted instants lie in a second between the two."""
    return (bisect_left(instants, end) - bisect_left(instants, begin)) / (end - begin)


def measure_recovery(instants: Sequence[float], marks: FaultMarks, load: float = math.inf) -> StageRecovery:
    """When the rate of one stage was back; `instants` are sorted, `load` is the rate of what was sent."""
    usual = min(load, rate(instants, marks.began - USUAL_SECONDS, marks.began))
    last = marks.whole + AFTER_SECONDS
    starts = [marks.began + step * _STEP_SECONDS for step in range(int((last - marks.began - WINDOW_SECONDS) / _STEP_SECONDS) + 1)]
    rates = [(start, rate(instants, start, start + WINDOW_SECONDS)) for start in starts]
    back = next((max(0.0, start - marks.whole) for start, value in rates if start >= marks.whole and value >= BACK * usual), None)
    bins = range(int((last - marks.began + BEFORE_SECONDS) / _BIN_SECONDS))
    drawn = tuple(
        rate(instants, marks.began - BEFORE_SECONDS + number * _BIN_SECONDS, marks.began - BEFORE_SECONDS + (number + 1) * _BIN_SECONDS)
        for number in bins
    )
    return StageRecovery(usual, min(value for _, value in rates), back, drawn)


def recovery_figures(marks: FaultMarks, stages: Mapping[str, Sequence[float]], load: float) -> dict[str, Any]:
    """The marks in seconds after the beginning, and the recovery of each stage, for JSON; `load` are the complaints sent a second.

    A stage that a complaint passes less or more than once, such as text messages, has its share of the load at most as usual rate.
    """
    complaints = max(1, len(stages["accepted"]))
    return {
        "over": marks.over - marks.began,
        "answering": marks.answering - marks.began,
        "whole": marks.whole - marks.began,
        "stages": {name: asdict(measure_recovery(instants, marks, load * len(instants) / complaints)) for name, instants in stages.items()},
    }
