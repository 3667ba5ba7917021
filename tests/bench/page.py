"""Writes docs/reference/performance.md from docs/reference/performance.json, without measuring: `python -m tests.bench.page`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.bench.benches import BENCHES
from tests.bench.measuring.outcome import Goal, Outcome, outcomes
from tests.bench.measuring.results import ROOT
from tests.bench.measuring.tables import table

PAGE = ROOT / "docs" / "reference" / "performance.md"
INTRODUCTION = """# Performance

Written by `make bench` from [performance.json](performance.json); `make bench ARGS="timers memory --minutes 30"` measures the benches
that it names again and keeps the others. CPU figures are read from `/proc` and from the threads' own clocks; they depend less than rates
on what else the machine does, but caches shared with other work make them larger too: ratios of one run, whose parts ran in turns, say
most. `load` is how many processes wanted a processor; beyond the number of cores, others were at work, and at a load of tens rates and
times are those of the other work. Python 3.11.7 is a build without optimisation by profile; with Debian's 3.11.2 all processes took 6 and
21 % less in two pairs of runs ([tried](performance-tried.md)). Deadlines have [a page of their own](deadlines-performance.md).
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(render(outcomes()), encoding="utf-8")


def render(measured: Mapping[str, Outcome]) -> str:
    """The page of these outcomes."""
    return "\n".join([INTRODUCTION, *_goals(measured), *_sections(measured)])


def _goals(measured: Mapping[str, Outcome]) -> Iterator[str]:
    yield "## Goals\n"
    yield "Where a goal is not reached, the section of its bench shows where the time goes, and"
    yield "[a page of its own](performance-tried.md) what was tried.\n"
    rows = [
        (goal.measure, _amount(goal, goal.reached), _limit(goal), _judged(goal, measured[name]), name)
        for name in BENCHES
        if name in measured
        for goal in measured[name].goals
    ]
    yield from table(("measure", "reached", "goal", "", "bench"), rows)


def _amount(goal: Goal, value: float) -> str:
    return f"{value:,g} {goal.unit}".strip() if value < 1000 else f"{value:,.0f} {goal.unit}".strip()


def _judged(goal: Goal, outcome: Outcome) -> str:
    if outcome.was_disturbed:
        return f"{'reached' if goal.is_reached else 'not reached'}, busy machine"
    return "reached" if goal.is_reached else "**not reached**"


def _limit(goal: Goal) -> str:
    return f"at {'most' if goal.at_most else 'least'} {_amount(goal, goal.goal)}"


def _sections(measured: Mapping[str, Outcome]) -> Iterator[str]:
    for name, bench in BENCHES.items():
        if name in measured:
            yield f"## {bench.title}\n"
            yield f"Bench `{name}`: {measured[name].conditions()}.\n"
            yield from bench.section(measured[name].figures)


if __name__ == "__main__":
    main()
