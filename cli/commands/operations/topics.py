"""`jiesu topics`: make the broker's topics what the registry says."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from shared.contracts.topics import TOPICS, department_topic
from shared.procedures.loading.loader import load_organisation
from shared.procedures.model.procedure_error import ProcedureError
from shared.runtime.errors import Misconfigured, Unavailable
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.process.settings import RuntimeSettings

app = typer.Typer(help="Topics of the registry.", no_args_is_help=True)


@app.callback()
def topics() -> None:
    """Topics of the registry."""


@app.command("apply")
def apply_registry(
    department: Annotated[list[str] | None, typer.Option(help="also the topic of this department; may be repeated")] = None,
    organisation: Annotated[
        Path | None, typer.Option(envvar="JIESU_ORGANISATION", help="also the topic of every department in this organisation file")
    ] = None,
) -> None:
    """Create what is absent and correct retention, cleanup and timestamps of what exists. Exit status 1 when that is impossible."""
    try:
        own = [each.id for each in load_organisation(organisation).departments] if organisation else []
        wanted = [*TOPICS.values(), *(department_topic(name) for name in dict.fromkeys([*(department or []), *own]))]
        result = asyncio.run(apply_topics(RuntimeSettings(), wanted))
    except (Misconfigured, ProcedureError, Unavailable) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    for name, what in sorted(result.items()):
        typer.echo(f"{what:8} {name}")
