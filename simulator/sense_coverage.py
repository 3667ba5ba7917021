"""Finds the entries of a pack that the second reading shows: without one, a scenario written from the text alone fails."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from shared.procedures.coverage import PackCoverage, expected_clauses, pack_coverage, with_second_reading
from shared.procedures.loading.loader import Pack
from shared.procedures.model.clauses import is_clause_or_subclause
from shared.procedures.model.entry_list import LocatedEntry, all_entries
from shared.procedures.organisation import Organisation
from simulator.entry_removal import MUTATED_SECTIONS, mutants
from simulator.expectations import unmet_expectations
from simulator.run import scenario_organisation
from simulator.scenario import Scenario, read_scenario
from simulator.scenario_runner import ScenarioRunner


@dataclass(frozen=True, slots=True)
class SenseReading:
    """The entries that the scenarios of the second reading need, each with the first scenario that fails without it, and the others."""

    shown: dict[str, str]
    unshown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _SenseScenario:
    name: str
    scenario: Scenario
    organisation: Organisation
    clauses: frozenset[str]

    def refers_to(self, item: LocatedEntry) -> bool:
        return any(is_clause_or_subclause(expected, clause) for expected in self.clauses for clause in item.clauses)

    def unmet_under(self, runner: ScenarioRunner) -> list[str]:
        return unmet_expectations(self.scenario.expect, runner.timeline(self.scenario, self.organisation))

    def is_met_by(self, runner: ScenarioRunner) -> bool:
        try:
            return not self.unmet_under(runner)
        except (ValueError, LookupError, TypeError):
            return False

    def fails_without(self, item: LocatedEntry, runner: ScenarioRunner) -> bool:
        """Whether an expectation is not met without the entry.

        What remains of a procedure may not run at all (a reminder of a limit that is gone). That shows that the entry is used, not what it
        is for: it counts only in a scenario that expects an event of the entry's own clause.
        """
        try:
            return bool(self.unmet_under(runner))
        except (ValueError, LookupError, TypeError):
            return self.refers_to(item)


def sense_coverage(pack: Pack) -> PackCoverage:
    """The coverage of a pack with what its second reading shows; raises `ValueError` for a scenario that cannot be read."""
    reading = read_senses(pack)
    return with_second_reading(pack_coverage(pack), reading.shown, reading.unshown)


def read_senses(pack: Pack) -> SenseReading:
    """Remove each entry in turn and run the scenarios of the second reading until one fails; raises `ValueError` for a scenario's file."""
    loaded = [_load(pack, path) for path in pack.sense_scenarios]
    # Where a scenario fails already, its failure without an entry proves nothing.
    present = ScenarioRunner(pack.procedure)
    scenarios = [scenario for scenario in loaded if scenario.is_met_by(present)]
    removed: dict[str, str | None] = {}
    for item, procedure in mutants(pack.procedure, pack.document):
        # Those that expect an event of the entry's clauses are likely to fail, and the first that fails ends the search.
        likely_first = sorted(scenarios, key=partial(_is_unlikely, item))
        runner = ScenarioRunner(procedure)
        removed[item.id] = next((scenario.name for scenario in likely_first if scenario.fails_without(item, runner)), None)
    entries = [located.id for located in all_entries(pack.procedure) if located.section in MUTATED_SECTIONS]
    shown = {entry: name for entry in entries if (name := removed.get(_removed_with(entry, removed)))}
    return SenseReading(shown, tuple(entry for entry in entries if entry not in shown))


def _is_unlikely(item: LocatedEntry, scenario: _SenseScenario) -> bool:
    return not scenario.refers_to(item)


def _removed_with(entry: str, removed: Mapping[str, str | None]) -> str:
    """The smallest entry that was removed and contains this one: an only limit, or an only effect, goes with its whole."""
    while entry not in removed and "." in entry:
        entry = entry.rsplit(".", 2)[0]  # clocks.decision.due.0.do.0 → clocks.decision.due.0
    return entry


def _load(pack: Pack, path: Path) -> _SenseScenario:
    scenario = read_scenario(path)
    return _SenseScenario(pack.scenario_name(path), scenario, scenario_organisation(scenario, path.parent), expected_clauses(path))
