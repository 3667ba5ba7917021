"""Runs the benches, all or those that are named, and writes docs/reference/performance.md: `make bench`, `make bench ARGS="accept"`."""

from __future__ import annotations

import argparse
import sys

from tests.bench import page
from tests.bench.benches import BENCHES
from tests.bench.measuring.outcome import Options, measured, store


def main() -> int:
    """Measure, store each outcome as soon as it is there, and write the page; 1 if a required goal is not reached."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}; all if none is named")
    parser.add_argument("--rounds", type=int, default=Options.rounds, help="rounds of what runs in turns; the page has medians")
    parser.add_argument("--complaints", type=int, default=0, help="size of the bench: complaints, timers, cases or mails; 0: its own")
    parser.add_argument("--minutes", type=float, default=0.0, help="minutes of the run that measures memory; 30 before a release")
    parser.add_argument("--no-profile", action="store_true", help="leave out the profile by layer")
    parser.add_argument("--against", default="", metavar="PYTHON", help="timers: Python of another checkout, whose process runs in turns")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - BENCHES.keys():
        parser.error(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    options = Options(arguments.rounds, arguments.complaints, arguments.minutes, not arguments.no_profile, arguments.against)
    given = " ".join("PYTHON" if word == arguments.against else word for word in sys.argv[1:] if word not in BENCHES)
    failed = False
    for name in arguments.names or BENCHES:
        outcome = measured(BENCHES[name], options, f'make bench ARGS="{name} {given}"'.replace(' "', '"'))
        store(name, outcome)
        page.main()
        for goal in outcome.goals:
            sys.stdout.write(f"{name}: {goal.measure}: {goal.reached:,g} {goal.unit} (goal {goal.goal:,g})\n")
            failed = failed or (goal.required and not goal.is_reached)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
