"""Run a scenario with the procedure, organisation and calendars that its file names."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.procedures.calendars.calendar import Calendar
from shared.procedures.checks.check import blocking_problems
from shared.procedures.loading.loader import load_organisation, load_pack
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure_error import ProcedureError
from shared.procedures.organisation import Organisation, open_organisation
from simulator.scenario import Scenario, ScenarioError
from simulator.simulation import simulate_scenario


def run_scenario(scenario: Scenario, base: Path) -> list[dict[str, Any]]:
    """The timeline of a scenario whose paths are relative to `base`; raises `ValueError` where file or procedure cannot be used."""
    pack = load_pack(scenario.procedure, base_folder=base)
    if problems := blocking_problems(pack):
        raise ProcedureError(problems)
    bound = bind_parameters(pack.procedure, scenario.parameters)
    organisation = scenario_organisation(scenario, base)
    return simulate_scenario(scenario, bound, organisation, organisation_calendars(organisation))


def organisation_calendars(organisation: Organisation) -> dict[str, Calendar]:
    """The calendars of an organisation by id; raises `CalendarError`."""
    return {str(calendar["id"]): Calendar.parse(calendar) for calendar in organisation.calendars}


def inline_organisation(data: dict[str, Any]) -> Organisation:
    """The organisation that a scenario gives in full; raises `ScenarioError`."""
    try:
        return Organisation.model_validate(data)
    except ValidationError as error:
        lines = [".".join(("organisation", *map(str, each["loc"]))) + f": {each['msg']}" for each in error.errors(include_url=False)]
        raise ScenarioError("; ".join(lines)) from error


def scenario_organisation(scenario: Scenario, base: Path) -> Organisation:
    """The organisation that a scenario brings or names, else one in which everybody is there; raises `ProcedureError`."""
    if scenario.organisation is None:
        return open_organisation()
    if isinstance(scenario.organisation, dict):
        return inline_organisation(scenario.organisation)
    return load_organisation(base / scenario.organisation)
