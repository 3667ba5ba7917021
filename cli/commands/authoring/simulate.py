"""`jiesu simulate FILE…`: run scenarios on the pure core and print their timelines."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from cli.exit_status import EXIT_UNUSABLE, exit_with
from shared.procedures.calendars.calendar import CalendarError
from shared.procedures.model.procedure_error import ProcedureError
from simulator.expectations import unmet_expectations
from simulator.run import run_scenario
from simulator.scenario import ScenarioError, read_scenario

_NOT_PRINTED = frozenset({"at", "event", "sequence", "rule", "clauses"})


@dataclass(frozen=True, slots=True)
class ScenarioRun:
    """A scenario's timeline and what it does not meet; `error` is set for a file or procedure that cannot be used."""

    file: Path
    events: list[dict[str, Any]]
    expected: int = 0
    problems: tuple[str, ...] = ()
    error: str = ""


def simulate(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="scenarios, and folders of them: see docs/how-to/scenarios.md", show_default=False)
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="print the events as one JSON array; those of several files with the key `file`")
    ] = False,
) -> None:
    """Run scenarios; exit 0: expectations met, 1: not met, 2: a file or procedure cannot be used."""
    paths = list(_scenario_files(files))
    runs = [_run(path) for path in paths]
    _print_json(runs) if as_json else _print_text(runs)
    for run in runs:
        prefix = f"{run.file}: " if len(runs) > 1 else ""
        for problem in run.problems:
            typer.echo(f"{prefix}not met: {problem}", err=True)
        if run.error:
            typer.echo(f"jiesu simulate: {prefix}{run.error}", err=True)
    if any(run.error for run in runs):
        raise typer.Exit(EXIT_UNUSABLE)
    if any(run.problems for run in runs):
        raise typer.Exit(1)


def event_line(event: Mapping[str, Any]) -> str:
    """One event of the timeline as a line of text: instant, type, fields."""
    fields = " ".join(f"{name}={_format_value(value)}" for name, value in event.items() if name not in _NOT_PRINTED)
    return f"{event['at'].isoformat(sep=' ', timespec='seconds')}  {event['event']:<24} {fields}"


def _scenario_files(paths: list[Path]) -> Iterator[Path]:
    """The files, and those below the folders; a folder without any ends the command, since nothing would be tested."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        below = sorted(path.rglob("*.yaml"))
        if not below:
            exit_with(f"jiesu simulate: {path}: the folder has no scenario (*.yaml); name another")
        yield from below


def _run(file: Path) -> ScenarioRun:
    try:
        scenario = read_scenario(file)
        events = run_scenario(scenario, file.parent)
    except (ScenarioError, ProcedureError, CalendarError, ValidationError, OSError, ValueError) as error:
        return ScenarioRun(file, [], error=str(error))
    return ScenarioRun(file, events, len(scenario.expect), tuple(unmet_expectations(scenario.expect, events)))


def _print_json(runs: list[ScenarioRun]) -> None:
    if len(runs) == 1:
        if runs[0].error:
            return
        rows = runs[0].events
    else:
        rows = [{"file": str(run.file), **event} for run in runs for event in run.events]
    json.dump(rows, sys.stdout, ensure_ascii=False, default=_encode_instant, indent=1)
    sys.stdout.write("\n")


def _print_text(runs: list[ScenarioRun]) -> None:
    for run in runs:
        if len(runs) == 1:
            for event in run.events:
                typer.echo(event_line(event))
        if not run.error:
            prefix = f"{run.file}: " if len(runs) > 1 else ""
            typer.echo(f"{prefix}{len(run.events)} events, {run.expected} expectations, {len(run.problems)} not met")
    if len(runs) > 1:
        unmet, unusable = sum(bool(run.problems) for run in runs), sum(bool(run.error) for run in runs)
        typer.echo(f"{len(runs)} scenarios, {unmet} not met, {unusable} that cannot be used")


def _format_value(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _encode_instant(value: Any) -> str:
    """JSON form of an instant; raises `TypeError` for anything else, as `json.dump` expects of its `default`."""
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
