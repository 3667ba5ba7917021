"""`jiesu organisation check`: checks an organisation file before services start with it."""

from pathlib import Path
from typing import Annotated

import typer

from shared.procedures.checks.organisation.organisation_check import check_organisation

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Check an organisation file.")


@app.callback()
def organisation_group() -> None:
    """Check an organisation file."""


@app.command()
def check(file: Annotated[Path, typer.Argument(help="the organisation file")]) -> None:
    """Check people, departments, calendars, keys, and the procedures of the sources; exit 0: no errors, 1: errors."""
    problems = check_organisation(file)
    for problem in problems:
        typer.echo(f"{problem.level}: {problem}")
    errors = sum(problem.level == "error" for problem in problems)
    typer.echo(f"{file}: {errors} errors, {len(problems) - errors} warnings")
    if errors:
        raise typer.Exit(1)
