"""`jiesu simulate FILE`: run a scenario on the pure core and print its timeline."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from shared.procedures.calendars.calendar import Calendar, CalendarError
from shared.procedures.checks.pack_check import blocking_problems
from shared.procedures.loading.loader import load_organisation, load_pack
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure_error import ProcedureError
from shared.procedures.organisation import Organisation, open_organisation
from simulator.scenario import Scenario, ScenarioError, read_scenario, unmet_expectations
from simulator.simulation import simulate_scenario as run

EXIT_UNUSABLE = 2


def run_scenario(scenario: Scenario, base: Path) -> list[dict[str, Any]]:
    """The timeline of a scenario whose paths are relative to `base`; raises `ValueError` where file or procedure cannot be used."""
    pack = load_pack(scenario.procedure, base_folder=base)
    if problems := blocking_problems(pack):
        raise ProcedureError(problems)
    bound = bind_parameters(pack.procedure, scenario.parameters)
    organisation = scenario_organisation(scenario, base)
    calendars = {str(each["id"]): Calendar.parse(each) for each in organisation.calendars}
    return run(scenario, bound, organisation, calendars)


def simulate(
    file: Annotated[Path, typer.Argument(help="a scenario: see docs/how-to/scenarios.md")],
    as_json: Annotated[bool, typer.Option("--json", help="print the events as one JSON array")] = False,
) -> None:
    """Run a scenario and print its timeline; exit 0: expectations met, 1: not met, 2: the file or the procedure cannot be used."""
    try:
        scenario = read_scenario(file)
        events = run_scenario(scenario, file.parent)
    except (ScenarioError, ProcedureError, CalendarError, ValidationError, OSError, ValueError) as error:
        typer.echo(f"jiesu simulate: {error}", err=True)
        raise typer.Exit(EXIT_UNUSABLE) from error
    problems = unmet_expectations(scenario, events)
    if as_json:
        json.dump(events, sys.stdout, ensure_ascii=False, default=_json, indent=1)
        sys.stdout.write("\n")
    else:
        for event in events:
            typer.echo(event_line(event))
    for problem in problems:
        typer.echo(f"not met: {problem}", err=True)
    if not as_json:
        typer.echo(f"{len(events)} events, {len(scenario.expect)} expectations, {len(problems)} not met")
    if problems:
        raise typer.Exit(1)


def event_line(event: dict[str, Any]) -> str:
    """One event of the timeline as a line of text."""
    rest = {key: value for key, value in event.items() if key not in ("at", "event", "sequence", "rule", "clauses")}
    said = " ".join(f"{key}={_text(value)}" for key, value in rest.items())
    return f"{event['at'].isoformat(sep=' ', timespec='seconds')}  {event['event']:<24} {said}"


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


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
