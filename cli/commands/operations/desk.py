"""`jiesu desk`: rebuild the read model of the desk."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from aiokafka.errors import KafkaError

from cli.database import database_errors_ending_command
from cli.desk.event_sources import LedgerSource, TopicSource
from cli.exit_status import EXIT_UNUSABLE, exit_with
from cli.reconciliation.topic_contents import consumer_without_group
from services.desk.application.confidential_fields import ConfidentialFields
from services.desk.application.rebuilding import EventSource, RebuildProgress, RebuildReadModel
from services.desk.config import DeskSettings
from shared.procedures.checks.organisation.organisation_check import load_checked_organisation
from shared.runtime.database.database import Database

app = typer.Typer(help="Rebuild the read model of the desk.", no_args_is_help=True)
_SECONDS_BETWEEN_LINES = 2.0


@app.callback()
def _group() -> None:
    """Keeps `rebuild` a sub-command while it is the only one."""


@app.command()
def rebuild(
    ledger: Annotated[
        Path | None, typer.Option(help="a file of `jiesu ledger export`, for what the topics no longer keep", exists=True, dir_okay=False)
    ] = None,
) -> None:
    """Fill a second set of tables from the topics while the desk serves the first, then swap them."""
    reporter = ProgressLines()
    with database_errors_ending_command("desk"):
        try:
            events, skipped = asyncio.run(rebuild_read_model(DeskSettings(), ledger, reporter))
        except KafkaError as error:
            exit_with(f"the broker cannot be used ({type(error).__name__}): check KAFKA_BOOTSTRAP_SERVERS", EXIT_UNUSABLE)
    seconds = max(reporter.last.seconds, 0.001)
    typer.echo(f"{events} events in {seconds:.1f} s ({events / seconds:.0f} a second); {skipped} records could not be read")


async def rebuild_read_model(settings: DeskSettings, ledger: Path | None, reporter: ProgressLines) -> tuple[int, int]:
    """The number of events applied and of records skipped."""
    database = Database(settings, "desk", 2)
    fields = ConfidentialFields(load_checked_organisation(settings.organisation), settings.organisation.parent)
    try:
        async with consumer_without_group(settings, "jiesu-desk-rebuild") as consumer:
            topics = TopicSource(consumer, settings.topic_prefix)
            sources: list[EventSource] = [LedgerSource(ledger), topics] if ledger else [topics]
            events = await RebuildReadModel(database, fields, reporter).run(sources)
            return events, topics.skipped
    finally:
        await database.close()


class ProgressLines:
    """Prints a line every two seconds."""

    def __init__(self) -> None:
        self.last = RebuildProgress("", 0, 0.0)
        self._printed = 0.0

    def __call__(self, progress: RebuildProgress) -> None:
        """Print the progress if it is time."""
        self.last = progress
        if progress.seconds - self._printed >= _SECONDS_BETWEEN_LINES:
            self._printed = progress.seconds
            typer.echo(f"{progress.stage}: {progress.events} events, {progress.events / progress.seconds:.0f} a second", err=True)
