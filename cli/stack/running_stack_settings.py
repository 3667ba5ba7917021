"""The settings of the stack that `jiesu up` runs, as those of a command that was given none."""

import os
from pathlib import Path

import typer

from cli.stack.addresses import DEFAULT_ROOT, StaleAddressesError, read_addresses, read_settings

SERVER_VARIABLES = ("DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS")


def use_running_stack(root: Path = DEFAULT_ROOT) -> bool:
    """Set the variables of the stack in `root` in this process, and say so; whether that was done.

    It is left undone where DATABASE_URL or KAFKA_BOOTSTRAP_SERVERS is set: a mix of both would write data of one with the keys of another.
    """
    if any(os.environ.get(name) for name in SERVER_VARIABLES):
        return False
    try:
        if read_addresses(root) is None:
            return False
    except StaleAddressesError as error:
        # A command may need no server at all.
        typer.echo(f"Note: {error.message}", err=True)
        return False
    for name, value in read_settings(root).items():
        os.environ.setdefault(name, value)
    typer.echo(f"using the stack of `jiesu up` in {root}, as {' and '.join(SERVER_VARIABLES)} are not set", err=True)
    return True
