"""Runs a scenario with the procedure, organisation and calendars that its file names."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.procedures.calendars.calendar import Calendar
from shared.procedures.checks.pack_check import blocking_problems
from shared.procedures.loading.loader import load_organisation, load_pack
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure_error import ProcedureError
from shared.procedures.organisation import Organisation, open_organisation
from simulator.scenario import Scenario, ScenarioError
from simulator.simulation import simulate_scenario


def run_scenario(scenario: Scenario, base: Path) -> list[dict[str, Any]]:
    """Run a scenario whose paths are relative to `base`; returns its timeline. Raises `ValueError` where a file cannot be used."""
    pack = load_pack(scenario.procedure, base_folder=base)
    if problems := blocking_problems(pack):
        raise ProcedureError(problems)
    bound = bind_parameters(pack.procedure, scenario.parameters)
    organisation = scenario_organisation(scenario, base)
    return simulate_scenario(scenario, bound, organisation, organisation_calendars(organisation))


def scenario_organisation(scenario: Scenario, base: Path) -> Organisation:
    """The organisation in a scenario or in the file that it names; without either, one where each role has one holder.

    Raises `ScenarioError` or `ProcedureError`.
    """
    if scenario.organisation is None:
        return open_organisation()
    if isinstance(scenario.organisation, str):
        return load_organisation(base / scenario.organisation)
    try:
        return Organisation.model_validate(scenario.organisation)
    except ValidationError as error:
        lines = [
            ".".join(("organisation", *map(str, problem["loc"]))) + f": {problem['msg']}" for problem in error.errors(include_url=False)
        ]
        raise ScenarioError("; ".join(lines)) from error


def organisation_calendars(organisation: Organisation) -> dict[str, Calendar]:
    """The calendars of an organisation by id; raises `CalendarError`."""
    return {str(calendar["id"]): Calendar.parse(calendar) for calendar in organisation.calendars}
