"""The one format of all benches, and the one file that holds the latest outcome of each, with the machine that it was measured on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from tests.bench.measuring.results import ROOT, machine

RESULTS = ROOT / "docs" / "reference" / "performance.json"
_DISTURBING_LOAD = 4


@dataclass(frozen=True)
class Goal:
    """A figure beside what it must reach: `goal` at least, or at most. A bench fails if one that is required is not reached."""

    measure: str
    reached: float
    goal: float
    unit: str = ""
    at_most: bool = False
    required: bool = False

    @property
    def is_reached(self) -> bool:
        """Whether the figure is as good as the goal, or better."""
        return self.reached <= self.goal if self.at_most else self.reached >= self.goal


@dataclass(frozen=True)
class Outcome:
    """What a bench measured; `machine` and `taken_at` are added when it is stored, `load` holds the load before and after."""

    figures: dict[str, Any]
    goals: list[Goal] = field(default_factory=list)
    load: tuple[float, float] = (0.0, 0.0)
    command: str = ""
    taken_at: str = ""
    machine: Mapping[str, Any] = field(default_factory=dict)

    @property
    def was_disturbed(self) -> bool:
        """Whether more than four processes a processor were at work at the start: rates and times are then those of the other work."""
        return bool(self.load[0] > _DISTURBING_LOAD * self.machine.get("cores", 1))

    def conditions(self) -> str:
        """The command, the machine and its load in one line."""
        before, after = self.load
        machine = f"{self.machine['processor']}, {self.machine['cores']} cores, Python {self.machine['python']}"
        return f"`{self.command}` ({machine}, load {before} before and {after} after, {self.taken_at[:10]})"


@dataclass(frozen=True)
class Options:
    """What the command line asks of the benches; 0 leaves a number to the bench. `against` is the Python of another checkout."""

    rounds: int = 5
    complaints: int = 0
    minutes: float = 0.0
    profile: bool = True
    against: str = ""


@dataclass(frozen=True)
class Bench:
    """A bench: its title on the page, how to measure, and how to write its section."""

    title: str
    measure: Callable[[Options], Outcome]
    section: Callable[[Mapping[str, Any]], Iterator[str]]


def measured(bench: Bench, options: Options, command: str) -> Outcome:
    """Measure, with the load before and after."""
    before = round(os.getloadavg()[0], 1)
    outcome = bench.measure(options)
    return Outcome(
        outcome.figures,
        outcome.goals,
        (before, round(os.getloadavg()[0], 1)),
        command,
        datetime.now(UTC).isoformat(timespec="seconds"),
        machine(),
    )


def store(name: str, outcome: Outcome) -> None:
    """Replace the outcome of one bench in the file of results."""
    stored = dict(sorted({**_stored(), name: asdict(outcome)}.items()))
    RESULTS.write_bytes(orjson.dumps(stored, option=orjson.OPT_INDENT_2) + b"\n")


def outcomes() -> dict[str, Outcome]:
    """The stored outcomes by bench."""
    return {
        name: Outcome(**{**stored, "goals": [Goal(**goal) for goal in stored["goals"]], "load": tuple(stored["load"])})
        for name, stored in _stored().items()
    }


def _stored() -> dict[str, Any]:
    if not RESULTS.exists():
        return {}
    stored: dict[str, Any] = orjson.loads(RESULTS.read_bytes())
    return stored
