"""`jiesu topics`: create the topics of the registry, and correct their settings."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from cli.database import database_errors_ending_command
from cli.exit_status import exit_with
from cli.service_names import SERVICES
from shared.contracts.topics import CREATED_TOPICS, department_topic
from shared.procedures.loading.loader import load_organisation
from shared.procedures.model.procedure_error import ProcedureError
from shared.runtime.errors import Misconfigured, Unavailable
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.timers.topic_move import move_tables

app = typer.Typer(help="Topics of the registry.", no_args_is_help=True)


@app.callback()
def topics_group() -> None:
    """Topics of the registry."""


@app.command("move")
def move_to_fresh_topics() -> None:
    """Prepare the tables (DATABASE_URL) for fresh topics with JIESU_TOPIC_PARTITIONS partitions; every service has to be stopped.

    Exit status 1, and nothing changed, while a service has messages that are not sent or records that wait.
    """
    with database_errors_ending_command("the services"):
        try:
            moved = asyncio.run(move_tables(RuntimeSettings(), SERVICES))
        except Misconfigured as error:
            exit_with(str(error), 1)
    for service, timers in moved.items():
        typer.echo(f"{service}: {timers} timers")


@app.command("apply")
def apply_registry(
    department: Annotated[list[str] | None, typer.Option(help="also the topic of this department; may be repeated")] = None,
    organisation: Annotated[
        Path | None, typer.Option(envvar="JIESU_ORGANISATION", help="also the topic of every department in this organisation file")
    ] = None,
) -> None:
    """Create what is absent and correct retention, cleanup and timestamps of what exists. Exit status 1 when that is impossible."""
    try:
        departments = list(department or ())
        if organisation is not None:
            departments += [unit.id for unit in load_organisation(organisation).departments]
        topics = [*CREATED_TOPICS, *map(department_topic, dict.fromkeys(departments))]
        changes = asyncio.run(apply_topics(RuntimeSettings(), topics))
    except (Misconfigured, ProcedureError, Unavailable) as error:
        exit_with(str(error), 1)
    for name, change in sorted(changes.items()):
        typer.echo(f"{change:8} {name}")
