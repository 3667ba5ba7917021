"""Mutation tests of the packs: without an entry a scenario of the pack fails, for each clause one that was written from the text alone."""

from functools import cache

import pytest

from shared.procedures.coverage import expected_clauses
from shared.procedures.model.clauses import is_clause_or_subclause
from shared.procedures.model.entry_list import LocatedEntry
from simulator.entry_removal import LoadedScenario, mutants, scenario_fails
from simulator.scenario_runner import ScenarioRunner
from simulator.sense_coverage import sense_coverage
from tests.support.scenarios.packs import PACKS, pack, pack_scenarios


@pytest.mark.parametrize("name", PACKS)
@pytest.mark.timeout(300)
def test_a_scenario_fails_without_each_entry(name: str) -> None:
    unneeded = []
    for item, procedure in mutants(pack(name).procedure, pack(name).document):
        runner = ScenarioRunner(procedure)
        if not any(scenario_fails(scenario, organisation, runner) for _, scenario, organisation in _likely_first(name, item)):
            unneeded.append(item.id)
    assert unneeded == []


@pytest.mark.parametrize("name", PACKS)
@pytest.mark.timeout(300)
def test_each_clause_is_shown_by_a_scenario_that_was_written_from_the_text(name: str) -> None:
    assert sense_coverage(pack(name)).gaps == ()


def _likely_first(name: str, item: LocatedEntry) -> list[LoadedScenario]:
    """The scenarios of a pack; first those that expect an event of the entry's clauses, because they are likely to fail without it."""
    clauses = _expected_clauses(name)

    def refers_to_entry(scenario: LoadedScenario) -> bool:
        return any(is_clause_or_subclause(expected, clause) for expected in clauses[scenario[0]] for clause in item.clauses)

    return sorted(pack_scenarios(name), key=refers_to_entry, reverse=True)


@cache
def _expected_clauses(name: str) -> dict[str, frozenset[str]]:
    return {pack(name).scenario_name(path): expected_clauses(path) for path in pack(name).scenarios}
