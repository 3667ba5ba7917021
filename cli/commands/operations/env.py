"""`jiesu env`: the settings of the stack that `jiesu up` runs, as assignments of a shell."""

import shlex
from pathlib import Path
from typing import Annotated

import typer
from click import ClickException

from cli.stack.addresses import DEFAULT_ROOT, read_addresses, read_settings


def env(root: Annotated[Path, typer.Option(help="folder of `jiesu up`")] = DEFAULT_ROOT) -> None:
    """Print `export` lines, secrets included; `eval "$(jiesu env)"` gives a shell, or a program of yours, the same settings."""
    if read_addresses(root) is None:
        raise ClickException(f"no `jiesu up` runs in {root}: start it, or name its folder with --root")
    for name, value in sorted(read_settings(root).items()):
        typer.echo(f"export {name}={shlex.quote(value)}")
