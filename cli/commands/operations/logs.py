"""`jiesu logs`: the logs of the stack that `jiesu up` runs, or ran last."""

import time
from pathlib import Path
from typing import Annotated

import typer
from click import ClickException

from cli.stack.addresses import DEFAULT_ROOT
from cli.stack.log_lines import LineFilter, LogFile, LogLine, in_order, log_files

_POLL_SECONDS = 0.2
# A server's own lines are many and seldom the question: they are shown when they are asked for.
_ONLY_WHEN_NAMED = ("broker", "database", "prometheus")


def logs(
    service: Annotated[str, typer.Argument(help="only of this process: a service, sinks, broker, database, prometheus")] = "",
    case: Annotated[str, typer.Option(help="only lines that name this case")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on until Ctrl-C")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="at most so many of the past; 0: all")] = 200,
    root: Annotated[Path, typer.Option(help="folder of `jiesu up`")] = DEFAULT_ROOT,
    as_json: Annotated[bool, typer.Option("--json", help="print the lines as they were written")] = False,
) -> None:
    """Show the log lines of the services in the order of time; with a case, its way through all of them."""
    files = _chosen(root, service)
    wanted = LineFilter(case)

    def show(found: list[LogLine]) -> None:
        for line in found:
            typer.echo(line.text if as_json else line.shown())

    past = in_order([line for file in files for line in file.new_lines() if wanted.passes(line)])
    show(past[-lines:] if lines else past)
    while follow:
        try:
            time.sleep(_POLL_SECONDS)
        except KeyboardInterrupt:
            return
        show(in_order([line for file in files for line in file.new_lines() if wanted.passes(line)]))


def _chosen(root: Path, service: str) -> list[LogFile]:
    files = log_files(root)
    if not files:
        raise ClickException(f"{root} has no logs: start `jiesu up`, or name its folder with --root")
    if service and service not in files:
        raise ClickException(f"{service}: there is no such log in {root}; there are {', '.join(files)}")
    return [files[service]] if service else [file for name, file in files.items() if name not in _ONLY_WHEN_NAMED]
