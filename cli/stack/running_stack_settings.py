"""The settings of the stack that `jiesu up` runs, as those of a command that was given none."""

import os
from collections.abc import Mapping
from pathlib import Path

import typer

from cli.stack.addresses import DEFAULT_ROOT, Addresses, StaleAddressesError, read_addresses, read_settings
from deploy.embedded.servers import asyncpg_url

SERVER_VARIABLES = ("DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS")


def use_running_stack(root: Path = DEFAULT_ROOT) -> Addresses | None:
    """Set the variables of the stack in `root` in this process, and report it; None where that was not done.

    It is left undone where DATABASE_URL or KAFKA_BOOTSTRAP_SERVERS names another server: a mix of both would write data of one with the
    keys of the other.
    """
    try:
        addresses = read_addresses(root)
    except StaleAddressesError as error:
        # A command may need no server at all, and the servers that are set may be others.
        if not any(map(os.environ.get, SERVER_VARIABLES)):
            typer.echo(f"Note: {error.message}", err=True)
        return None
    settings = read_settings(root) if addresses is not None else {}
    if addresses is None or names_other_servers(settings):
        return None
    if not all(map(os.environ.get, SERVER_VARIABLES)):
        typer.echo(f"using the stack of `jiesu up` in {root}, as {' or '.join(SERVER_VARIABLES)} is not set", err=True)
    for name, value in settings.items():
        os.environ.setdefault(name, value)
    return addresses


def names_other_servers(settings: Mapping[str, str]) -> bool:
    """Whether the environment names a server that is not that of these settings."""
    named = {name: value for name in SERVER_VARIABLES if (value := os.environ.get(name))}
    return any(asyncpg_url(value) != settings.get(name) for name, value in named.items())
