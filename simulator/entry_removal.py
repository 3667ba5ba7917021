"""Removes the entries of a procedure one by one, to find those without which every scenario is still met."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from shared.procedures.loading.yaml_document import YamlDocument
from shared.procedures.model.entry_list import LocatedEntry, YamlPath, all_entries
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Organisation
from simulator.expectations import unmet_expectations
from simulator.scenario import Scenario
from simulator.scenario_runner import ScenarioRunner

MUTATED_SECTIONS = frozenset(
    {"derived", "kinds", "classes", "subjects", "routes", "clocks", "ladders", "actions", "reactions", "counts", "duplicates", "closing"}
)
"""Sections whose entries are removed in turn; scenarios do not cover duties, forms and figures."""

LoadedScenario = tuple[str, Scenario, Organisation]
"""A scenario by its name, with its organisation."""


def mutants(procedure: Procedure, document: YamlDocument) -> Iterator[tuple[LocatedEntry, Procedure]]:
    """Yields each entry, deadline step, reminder and effect with the procedure that lacks it; an only effect is removed with its entry."""
    for item in all_entries(procedure):
        if item.section in MUTATED_SECTIONS and _removable(document.data, item.yaml_path):
            yield item, Procedure.model_validate(without_entry(document.data, item.yaml_path))


def without_entry(data: Any, path: YamlPath) -> Any:
    """A copy of plain data without the value at `path`."""
    copy = deepcopy(data)
    node = copy
    for step in path[:-1]:
        node = node[step]
    del node[path[-1]]
    return copy


def scenario_fails(scenario: Scenario, organisation: Organisation, runner: ScenarioRunner) -> bool:
    """Whether the scenario fails under the runner's procedure; one that cannot run it counts as failing."""
    try:
        events = runner.timeline(scenario, organisation)
    except (ValueError, LookupError, TypeError):
        return True
    return bool(unmet_expectations(scenario.expect, events))


def _removable(data: Any, path: YamlPath) -> bool:
    """Whether the document has a value at `path` (not a default) that is not the only item of a list which must not be empty."""
    node = data
    for step in path[:-1]:
        if isinstance(node, dict) and step not in node:
            return False
        node = node[step]
    return path[-2:-1] not in (("do",), ("due",)) or len(node) > 1
