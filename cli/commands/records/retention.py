"""`jiesu retention`: erase what is past its retention, or show with figures what would be erased."""

import asyncio
import json
from typing import Annotated

import asyncpg
import typer
from sqlalchemy.exc import DBAPIError

from cli.clock import current_instant
from cli.exit_status import exit_with
from cli.keeping.case_erasure import open_databases, open_erasure
from cli.keeping.retention_run import PastRetention, RetentionRun
from services.intake.config import IntakeSettings
from services.sla.config import SlaSettings
from shared.runtime.process.failures import redacted_reason


def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="change nothing; print what is past its retention")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Erase ended cases and attachments whose time is over, in batches; repeat it daily. Never what is open or under legal hold.

    What the services delete by themselves (raw copies, refusals, deliveries, dead letters) and the topics have settings of their own.
    """
    try:
        figures = asyncio.run(_run(dry_run=dry_run))
    except (OSError, DBAPIError, asyncpg.PostgresError) as error:
        exit_with(f"a database or the attachment store cannot be used ({redacted_reason(error)}); what was erased stays erased", 1)
    if as_json:
        typer.echo(json.dumps([each.document() for each in figures], ensure_ascii=False, indent=1))
        return
    for each in figures:
        typer.echo(_line(each, dry_run=dry_run))


async def _run(*, dry_run: bool) -> list[PastRetention]:
    settings = IntakeSettings()
    async with open_databases(settings) as databases, open_erasure(settings) as erasure:
        run = RetentionRun(settings, SlaSettings().case_retention_days, erasure, databases)
        if dry_run:
            return await run.figures(current_instant(), dry_run=True)
        async with run.recorded(current_instant):
            return await run.figures(current_instant(), dry_run=False)


def _line(each: PastRetention, *, dry_run: bool) -> str:
    if not each.days:
        return f"{each.what}: kept for ever ({each.setting} is 0)"
    since = "" if each.oldest is None else f", the oldest since {each.oldest.date()}"
    outcome = "nothing was changed" if dry_run else f"{each.done} erased"
    return f"{each.what}: {each.number} past {each.days} days{since}; {each.held} kept by a legal hold or another case; {outcome}"
