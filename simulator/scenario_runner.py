"""Runs the scenarios of one procedure, of which most share their organisation and parameters, and so the compiled rules."""

from collections.abc import Mapping
from typing import Any

from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Organisation
from simulator.run import organisation_calendars
from simulator.scenario import Scenario
from simulator.simulation import CompiledRules, Simulation, compile_simulation_rules, run_to_timeline


class ScenarioRunner:
    """Runs scenarios under one procedure; compiling takes longer than most runs, so rules are kept by organisation and parameters."""

    def __init__(self, procedure: Procedure) -> None:
        self._procedure = procedure
        self._compiled: list[tuple[Mapping[str, Any], Organisation, CompiledRules]] = []

    def timeline(self, scenario: Scenario, organisation: Organisation) -> list[dict[str, Any]]:
        """The events of a scenario, as `simulate_scenario` returns them; raises `ValueError` for rules that cannot be compiled."""
        rules = self._rules_for(scenario.parameters, organisation)
        return run_to_timeline(Simulation(rules.rulebook.bound_procedure, organisation, rules=rules), scenario)

    def _rules_for(self, parameters: Mapping[str, Any], organisation: Organisation) -> CompiledRules:
        for known_parameters, known_organisation, rules in self._compiled:
            if known_parameters == parameters and known_organisation == organisation:
                return rules
        bound = bind_parameters(self._procedure, parameters)
        rules = compile_simulation_rules(bound, organisation, organisation_calendars(organisation))
        self._compiled.append((parameters, organisation, rules))
        return rules
