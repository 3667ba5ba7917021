"""`jiesu topics`: create the topics of the registry, and correct their settings."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from cli.database import database_errors_ending_command
from cli.exit_status import exit_with
from cli.service_names import SERVICES
from shared.contracts.operations.access import AccessNames, access_rules
from shared.contracts.topics import CREATED_TOPICS, department_topic
from shared.procedures.loading.loader import load_organisation
from shared.procedures.model.procedure_error import ProcedureError
from shared.runtime.errors import Misconfigured, Unavailable
from shared.runtime.kafka.access_admin import AccessChanges, apply_access
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
    acl: Annotated[bool, typer.Option("--acl", help="also the access rules of the services, departments, sources and readers")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="with --acl: print the rules, change neither topics nor rules")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="with --acl: remove further rules of the same users")] = False,
    reader: Annotated[list[str] | None, typer.Option(help="a system that reads the public topics; may be repeated")] = None,
    user_prefix: Annotated[str, typer.Option(help="begins the names of the platform's users")] = "jiesu-",
) -> None:
    """Create what is absent and correct retention, cleanup and timestamps of what exists. Exit status 1 when that is impossible."""
    if not acl and (dry_run or prune or reader):
        exit_with("--dry-run, --prune and --reader are about access rules: add --acl", 2)
    try:
        settings, departments, sources = RuntimeSettings(), list(department or ()), list[str]()
        if organisation is not None:
            loaded = load_organisation(organisation)
            departments += [unit.id for unit in loaded.departments]
            sources = [source.id for source in loaded.sources]
        topics = [*CREATED_TOPICS, *map(department_topic, dict.fromkeys(departments))]
        changes = {} if dry_run else asyncio.run(apply_topics(settings, topics))
        names = AccessNames(settings.topic_prefix, user_prefix, tuple(departments), tuple(sources), tuple(reader or ()))
        access = asyncio.run(apply_access(settings, access_rules(names), prune=prune, dry_run=dry_run)) if acl else None
    except (Misconfigured, ProcedureError, Unavailable) as error:
        exit_with(str(error), 1)
    for name, change in sorted(changes.items()):
        typer.echo(f"{change:8} {name}")
    if access is not None:
        _print_access(access, prune=prune, dry_run=dry_run)


def _print_access(access: AccessChanges, *, prune: bool, dry_run: bool) -> None:
    lines = [(rule, "lacks" if dry_run else "created") for rule in access.created]
    lines += [(rule, "has" if dry_run else "kept") for rule in access.kept]
    lines += [(rule, "removed" if prune and not dry_run else "surplus") for rule in access.surplus]
    for rule, change in sorted(lines):
        typer.echo(f"{change:8} {rule.user:24} {rule.operation:16} {rule.kind:8} {rule.name}{'*' if rule.is_prefix else ''}")
    if access.surplus and not prune:
        typer.echo(f"{len(access.surplus)} rules of these users are not the platform's: --prune removes them", err=True)
