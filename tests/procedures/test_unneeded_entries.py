"""An entry that no scenario needs is refused: each is removed in turn, and a scenario has to fail."""

from functools import cache

import pytest

from shared.procedures.coverage import expected_clauses
from shared.procedures.model.clauses import is_clause_or_subclause
from shared.procedures.model.entry_list import LocatedEntry
from tests.support.mutations import LoadedScenario, mutants, scenario_fails
from tests.support.packs import PACKS, pack, pack_scenarios


@pytest.mark.parametrize("name", PACKS)
@pytest.mark.timeout(300)
def test_a_scenario_fails_without_each_entry(name: str) -> None:
    needless = []
    for item, procedure in mutants(pack(name).procedure, pack(name).document):
        if not any(scenario_fails(scenario, procedure, organisation) for _, scenario, organisation in _likely_first(name, item)):
            needless.append(item.id)
    assert needless == []


def _likely_first(name: str, item: LocatedEntry) -> list[LoadedScenario]:
    clauses = _named(name)

    def concerned(ready: LoadedScenario) -> bool:
        return any(is_clause_or_subclause(one, clause) for one in clauses[ready[0]] for clause in item.clauses)

    return sorted(pack_scenarios(name), key=concerned, reverse=True)


@cache
def _named(name: str) -> dict[str, frozenset[str]]:
    return {path.stem: expected_clauses(path) for path in pack(name).scenarios}
