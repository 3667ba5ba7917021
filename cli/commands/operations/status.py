"""`jiesu status`: what runs, what waits and what failed, of `jiesu up` or of any servers."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from click import ClickException

from cli.stack.addresses import DEFAULT_ROOT, Addresses, read_addresses
from cli.stack.running_stack_settings import SERVER_VARIABLES, use_running_stack
from cli.status.collecting import collect
from cli.status.text import status_lines
from shared.runtime.process.settings import RuntimeSettings


def status(
    root: Annotated[Path, typer.Option(help="folder of `jiesu up`")] = DEFAULT_ROOT,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Show services, lag, outbox, timers, dead letters and last errors; exit status 1 if something is not as it should be.

    KAFKA_BOOTSTRAP_SERVERS and DATABASE_URL name another stack than that of `jiesu up`.
    """
    addresses = _local_addresses(root)
    result = asyncio.run(collect(RuntimeSettings(), root, addresses))
    if as_json:
        typer.echo(result.model_dump_json(indent=2))
    else:
        for line in status_lines(result):
            typer.echo(line)
    if result.problems:
        raise typer.Exit(1)


def _local_addresses(root: Path) -> Addresses | None:
    """The addresses of the stack in `root`, whose settings are then used; None where the environment names other servers."""
    if addresses := use_running_stack(root):
        return addresses
    if any(map(os.environ.get, SERVER_VARIABLES)):
        return None
    # Raises where they are stale.
    read_addresses(root)
    raise ClickException(f"no `jiesu up` runs in {root}: start it, name its folder (--root), or set {' and '.join(SERVER_VARIABLES)}")
