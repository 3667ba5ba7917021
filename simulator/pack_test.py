"""Tests a pack by its scenarios: those that fail, and the entries that no scenario needs."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from shared.procedures.coverage import expected_clauses
from shared.procedures.loading.loader import Pack
from shared.procedures.model.clauses import is_clause_or_subclause
from shared.procedures.model.entry_list import LocatedEntry
from shared.procedures.organisation import Organisation
from simulator.entry_removal import mutants, scenario_fails
from simulator.expectations import unmet_expectations
from simulator.run import scenario_organisation
from simulator.scenario import Scenario, read_scenario
from simulator.scenario_runner import ScenarioRunner

_EXPECTED_BY_SECTION = {
    "derived": "expects the class or route that the derived fact leads to",
    "kinds": "expects classified with this kind",
    "classes": "expects classified or reclassified with this class",
    "subjects": "expects classified with this subject",
    "routes": "expects routed or route_proposed with this department",
    "clocks": "expects clock_started or clock_breached with this clause",
    "ladders": "expects escalated to each rung",
    "actions": "takes the action against the rule and expects action_refused with this clause",
    "reactions": "brings about the event and expects what follows",
    "counts": "registers as many complaints as it counts and expects group_found or reclassified",
    "duplicates": "registers two complaints of one person on one matter and expects linked with as: duplicate",
    "closing": "closes before the condition holds and expects action_refused with this clause",
}
"""Section → what a scenario does that fails without the entry."""
_EXPECTED_BY_PART = {
    "due": "lets the clock pass and expects clock_breached or reminded at this instant",
    "reminders": "expects reminded at this instant",
    "do": "expects the event of this effect, with its recipients",
}


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """A scenario by its name, with one line for each expectation that is not met."""

    name: str
    failures: tuple[str, ...]


def run_pack_scenarios(pack: Pack) -> list[ScenarioResult]:
    """Run every scenario of a pack, in the order of their names."""
    runner = ScenarioRunner(pack.procedure)
    return [ScenarioResult(pack.scenario_name(path), tuple(_failures(runner, path))) for path in pack.scenarios]


def unneeded_entries(pack: Pack) -> list[str]:
    """One line for each entry without which every scenario is met: which, and what to add. Raises `ValueError` for a scenario's file."""
    scenarios = [(expected_clauses(path), *_load(path)) for path in pack.scenarios]
    unneeded: list[str] = []
    for item, procedure in mutants(pack.procedure, pack.document):
        # Scenarios that expect an event of the entry's clauses are likely to fail first.
        likely_first = sorted(scenarios, key=partial(_is_unlikely, item))
        runner = ScenarioRunner(procedure)
        if not any(scenario_fails(scenario, organisation, runner) for _, scenario, organisation in likely_first):
            unneeded.append(_describe(item))
    return unneeded


def _is_unlikely(item: LocatedEntry, loaded: tuple[frozenset[str], Scenario, Organisation]) -> bool:
    return not any(is_clause_or_subclause(expected, clause) for expected in loaded[0] for clause in item.clauses)


def _failures(runner: ScenarioRunner, path: Path) -> list[str]:
    try:
        scenario, organisation = _load(path)
        events = runner.timeline(scenario, organisation)
    except (ValueError, OSError) as error:
        return [f"cannot run: {error}"]
    return [f"not met: {problem}" for problem in unmet_expectations(scenario.expect, events)]


def _load(path: Path) -> tuple[Scenario, Organisation]:
    scenario = read_scenario(path)
    return scenario, scenario_organisation(scenario, path.parent)


def _describe(item: LocatedEntry) -> str:
    parts = [str(step) for step in item.yaml_path]
    part = next((name for name in ("do", "reminders", "due") if name in parts), "")
    action = _EXPECTED_BY_PART.get(part) or _EXPECTED_BY_SECTION[item.section]
    clauses = f" (clause {', '.join(item.clauses)})" if item.clauses else ""
    return f"{item.id}{clauses}: every scenario is met without it; add a scenario that {action}, or remove the entry"
