"""Exit statuses of the commands, and the one way to end a command with an error message."""

from typing import NoReturn

import typer

EXIT_UNUSABLE = 2
"""An argument, file, procedure or server cannot be used; 1 means that a check or an operation failed."""


def exit_with(message: str, status: int = EXIT_UNUSABLE) -> NoReturn:
    """Print a message on standard error and end the command."""
    typer.echo(message, err=True)
    raise typer.Exit(status)
