"""`jiesu simulate FILE`: run a scenario on the pure core and print its timeline."""

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from cli.exit_status import exit_with
from shared.procedures.calendars.calendar import CalendarError
from shared.procedures.model.procedure_error import ProcedureError
from simulator.expectations import unmet_expectations
from simulator.run import run_scenario
from simulator.scenario import ScenarioError, read_scenario

_NOT_PRINTED = frozenset({"at", "event", "sequence", "rule", "clauses"})


def simulate(
    file: Annotated[Path, typer.Argument(help="a scenario: see docs/how-to/scenarios.md")],
    as_json: Annotated[bool, typer.Option("--json", help="print the events as one JSON array")] = False,
) -> None:
    """Run a scenario and print its timeline; exit 0: expectations met, 1: not met, 2: the file or the procedure cannot be used."""
    try:
        scenario = read_scenario(file)
        events = run_scenario(scenario, file.parent)
    except (ScenarioError, ProcedureError, CalendarError, ValidationError, OSError, ValueError) as error:
        exit_with(f"jiesu simulate: {error}")
    problems = unmet_expectations(scenario.expect, events)
    if as_json:
        json.dump(events, sys.stdout, ensure_ascii=False, default=_encode_instant, indent=1)
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


def event_line(event: Mapping[str, Any]) -> str:
    """One event of the timeline as a line of text: instant, type, fields."""
    fields = " ".join(f"{name}={_format_value(value)}" for name, value in event.items() if name not in _NOT_PRINTED)
    return f"{event['at'].isoformat(sep=' ', timespec='seconds')}  {event['event']:<24} {fields}"


def _format_value(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _encode_instant(value: Any) -> str:
    """JSON form of an instant; raises `TypeError` for anything else, as `json.dump` expects of its `default`."""
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
