"""`jiesu triage export`: people's decisions on reviews as JSON Lines, from which `jiesu triage train` learns."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.database import query_service
from cli.exit_status import exit_with
from cli.output_file import require_folder, writing_out
from services.sla.storage.reviews.review_figures import LearnedDecision, decisions_to_learn
from shared.runtime.database.database import Database

_MASK = "〇"
# Phones, identity cards, accounts and plates have at least five digits in a row; house numbers are shorter.
_NUMBERS = re.compile(r"[A-Za-z]?\d(?:[ -]?\d){4,}[A-Za-z]?")
_ADDRESSES = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def export(
    out: Annotated[Path | None, typer.Option(help="the file to write; none: standard output")] = None,
    since: Annotated[datetime | None, typer.Option(help="decisions from this day on, as 2026-09-01 (UTC)")] = None,
    redact: Annotated[bool, typer.Option(help="mask numbers, mail addresses and the names under `against`")] = False,
) -> None:
    """Write title, text and the labels that people decided in reviews. Texts are personal data: see docs/how-to/review-queue.md."""
    require_folder(out)
    start = datetime(2000, 1, 1, tzinfo=UTC) if since is None else since.replace(tzinfo=UTC)

    async def lines(database: Database) -> list[str]:
        return [line async for line in exported_rows(database, start, redact=redact)]

    rows = query_service("sla", lines)
    if not rows:
        exit_with("no decision on a review since then: people decide at /v1/reviews; a correction without a decision is not learned")
    if out is None:
        sys.stdout.writelines(rows)
        return
    with writing_out():
        # Readable for its owner only: the texts are personal data.
        out.touch(mode=0o600)
        out.chmod(0o600)
        out.write_text("".join(rows), encoding="utf-8")
    typer.echo(f"{len(rows)} decisions written")


async def exported_rows(database: Database, since: datetime, *, redact: bool) -> AsyncIterator[str]:
    """A line of JSON for each decision, oldest first."""
    async with database.transaction() as tx:
        async for decision in decisions_to_learn(tx, since):
            yield training_line(decision, redact=redact)


def training_line(decision: LearnedDecision, *, redact: bool) -> str:
    """The decision as a line that `jiesu triage train` reads; the case is its group, so that its texts stay on one side of a split."""
    complaint = decision.complaint
    texts = {name: complaint.get(name, "") for name in ("title", "text")}
    if redact:
        names = [name for name in complaint.get("against", ()) if isinstance(name, str)]
        texts = {name: redacted(text, names) for name, text in texts.items()}
    row = {**texts, "label": decision.labels, "group": decision.case_id, "decided_at": decision.decided_at.isoformat()}
    return json.dumps({**row, "outcome": decision.outcome}, ensure_ascii=False) + "\n"


def redacted(text: str, names: Iterable[str]) -> str:
    """The text with numbers, mail addresses and these names masked; other names in the text stay."""
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = text.replace(name, _MASK)
    return _NUMBERS.sub(_MASK, _ADDRESSES.sub(_MASK, text))
