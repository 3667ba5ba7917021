"""`jiesu replay`: decide every case again from its ledger, and name what comes out otherwise."""

import json
from collections.abc import Sequence
from typing import Annotated

import typer

from cli.evidence.sla_database import exit_with, query_sla
from services.sla.domain.evidence.case_history import CaseHistory
from services.sla.domain.evidence.replay import apply_eventless_steps, replay_decisions, state_differences
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.due_items import next_due
from services.sla.storage import ledgers
from services.sla.storage.ledgers import HistoricalRulebooks
from shared.runtime.database.database import Database


def replay(
    verify: Annotated[bool, typer.Option("--verify", help="compare with what is stored; the only thing that a replay is for")] = False,
    case: Annotated[list[str] | None, typer.Option("--case", help="only this case; may be given several times")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Decide cases again from their events alone; the same events, deadlines and state have to come out. Exit status 1 if not."""
    if not verify:
        exit_with("nothing is written by a replay: give --verify to compare its outcome with what is stored")
    checked, problems = query_sla(lambda database: _replay_cases(database, case or []))
    if as_json:
        typer.echo(json.dumps({"cases": checked, "differences": problems}, ensure_ascii=False, indent=1))
    else:
        for problem in problems:
            typer.echo(f"{problem['case']}: {problem['difference']}")
        typer.echo(f"{checked} cases decided again, {len(problems)} differences")
    if problems:
        raise typer.Exit(1)


def replay_differences(dossier: CaseHistory, library: HistoricalRulebooks) -> list[str]:
    """How a case departs from what its ledger says, in words; empty if it comes out again."""
    try:
        found = replay_decisions(dossier.recorded_events(), library.rulebook)
        kept = ledgers.stored_state(dossier)
        live = Case.from_dict(kept)
    except (ValueError, KeyError, TypeError) as error:
        return [f"cannot be read: {error}"]
    if found.differences or found.case is None or not found.basis:
        return found.differences or ["there are no events"]
    recounted = library.context_by_calendar(dossier.calendar)
    other = library.for_context(found.basis).calendar_stamp != dossier.calendar and recounted is not None
    due = next_due(live)
    apply_eventless_steps(
        found, None if due is None else due - 1, library.for_context(recounted).for_case(live) if other and recounted else None
    )
    return state_differences(found.case, kept)


async def _replay_cases(database: Database, cases: Sequence[str]) -> tuple[int, list[dict[str, str]]]:
    async with database.transaction() as tx:
        library = await HistoricalRulebooks.load(tx)
    problems: list[dict[str, str]] = []
    seen: set[str] = set()
    async for dossier in ledgers.load_case_histories(database, cases):
        seen.add(dossier.case)
        problems += [{"case": dossier.case, "difference": each} for each in replay_differences(dossier, library)]
    problems += [{"case": name, "difference": "there is no such case"} for name in cases if name not in seen]
    return len(seen), problems
