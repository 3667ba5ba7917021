"""`jiesu replay`: decide every case again from its ledger, and report what differs."""

import json
from collections.abc import Sequence
from typing import Annotated

import orjson
import typer

from cli.database import query_service
from cli.exit_status import exit_with
from services.sla.application.rulebooks import HistoricalRulebooks
from services.sla.domain.evidence.case_history import CaseHistory
from services.sla.domain.evidence.replay import apply_eventless_steps, replay_decisions, state_differences
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.due_items import next_due
from services.sla.storage import case_histories
from shared.runtime.database.database import Database


def replay(
    verify: Annotated[bool, typer.Option("--verify", help="compare with what is stored; the only thing that a replay is for")] = False,
    case: Annotated[list[str] | None, typer.Option("--case", help="only this case; may be given several times")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Replay cases from their ledgers and compare events, deadlines and state. Exit status 1 if anything differs."""
    if not verify:
        exit_with("nothing is written by a replay: give --verify to compare its outcome with what is stored")
    checked, differences = query_service("sla", lambda database: _replay_cases(database, case or []))
    if as_json:
        typer.echo(json.dumps({"cases": checked, "differences": differences}, ensure_ascii=False, indent=1))
    else:
        for difference in differences:
            typer.echo(f"{difference['case']}: {difference['difference']}")
        typer.echo(f"{checked} cases decided again, {len(differences)} differences")
    if differences:
        raise typer.Exit(1)


def replay_differences(history: CaseHistory, rulebooks: HistoricalRulebooks) -> list[str]:
    """How a replay of the case differs from its ledger and its stored state, one line each."""
    try:
        replayed = replay_decisions(history.recorded_events(), rulebooks.rulebook)
        stored_state = orjson.loads(history.state)
        stored_case = Case.from_dict(stored_state)
    except (ValueError, KeyError, TypeError) as error:
        return [f"cannot be read: {error}"]
    if replayed.differences or replayed.case is None or not replayed.basis:
        return replayed.differences or ["there are no events"]
    # A recalculation that moves no deadline records no event, so the calendars of the case may be newer than its last decision.
    recalculated_context = rulebooks.context_by_calendar(history.calendar)
    rulebook = None
    if recalculated_context and rulebooks.for_context(replayed.basis).calendar_stamp != history.calendar:
        rulebook = rulebooks.for_context(recalculated_context).for_case(stored_case)
    due = next_due(stored_case)
    # Up to the stored next due instant: what is due from then on has not been executed yet.
    apply_eventless_steps(replayed, None if due is None else due - 1, rulebook)
    return state_differences(replayed.case, stored_state)


async def _replay_cases(database: Database, cases: Sequence[str]) -> tuple[int, list[dict[str, str]]]:
    async with database.transaction() as tx:
        rulebooks = await HistoricalRulebooks.load(tx)
    differences: list[dict[str, str]] = []
    checked: set[str] = set()
    async for history in case_histories.load_case_histories(database, cases):
        checked.add(history.case)
        differences += [{"case": history.case, "difference": line} for line in replay_differences(history, rulebooks)]
    differences += [{"case": case, "difference": "there is no such case"} for case in cases if case not in checked]
    return len(checked), differences
