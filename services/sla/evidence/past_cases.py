"""Reads a case as it stood at a past instant, by a replay of its ledger."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from services.sla.application.errors import CaseNotFoundError, EvidenceFaultyError, InstantNotPastError
from services.sla.application.queries import CaseQueries
from services.sla.application.rulebooks import HistoricalRulebooks
from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.evidence.case_history import CaseHistory
from services.sla.domain.evidence.recorded_events import RecordedEvent, parse_micros
from services.sla.domain.evidence.replay import apply_eventless_steps, replay_decisions
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.domain.views import case_view, clock_view
from services.sla.domain.views.instants import explanation_in_zone, to_text
from services.sla.storage import case_histories
from shared.procedures.access import Actor


class ReadPastCase:
    """Answers of the route that reads the past; visibility is that of the case now."""

    def __init__(self, case_queries: CaseQueries) -> None:
        self._cases = case_queries

    async def describe(self, case_id: str, as_of: datetime, actor: Actor) -> dict[str, Any]:
        """The case with the events recorded until `as_of`, its clocks then, and their explanation.

        Raises `CaseNotFoundError`, `InstantNotPastError`, or `EvidenceFaultyError` for a ledger that cannot be replayed.
        """
        queries, now = self._cases, self._cases.clock.now()
        present = await queries.load_visible_case(case_id, actor, now)
        if as_of > now:
            raise InstantNotPastError
        histories = [history async for history in case_histories.load_case_histories(queries.database, [case_id])]
        if not histories:
            raise CaseNotFoundError
        async with queries.database.transaction() as tx:
            rulebooks = await HistoricalRulebooks.load(tx)
        at = to_micros(as_of)
        recorded = _recorded_until(histories[0], at)
        if not recorded:
            raise InstantNotPastError
        # A replay takes milliseconds for each event; other requests are served meanwhile.
        case, rulebook = await asyncio.to_thread(_replayed, recorded, rulebooks, at)
        # What was open then may be confidential now, and the other way round: the reader gets what he may see of both.
        hidden = tuple({*queries.hidden_fields(actor, present, now), *queries.hidden_fields(actor, case, now)})
        events = [{"event": line.body["type"], **line.body} for line in recorded]
        document = case_view.case_document(case, rulebook, at, queries.zone, hidden, events)
        explained: dict[str, list[dict[str, Any]]] = {}
        for plan, run in clock_view.started_runs(case, rulebook):
            explained.setdefault(plan.clock.id, []).append(clock_view.explained_run(case, rulebook, plan, run))
        answers = [{"clock": clock, "rounds": explanation_in_zone(rounds, queries.zone)} for clock, rounds in explained.items()]
        return {**document, "as_of": to_text(at, queries.zone), "explained": answers}


def _recorded_until(history: CaseHistory, at: int) -> list[RecordedEvent]:
    # By the time of recording: what happened before but became known later was not yet part of the case.
    return [line for line in history.recorded_events() if parse_micros(line.body["recorded_at"]) <= at]


def _replayed(recorded: list[RecordedEvent], rulebooks: HistoricalRulebooks, at: int) -> tuple[Case, Rulebook]:
    result = replay_decisions(recorded, rulebooks.rulebook)
    if result.differences or result.case is None or result.rulebook is None:
        raise EvidenceFaultyError(result.differences)
    apply_eventless_steps(result, at)
    return result.case, result.rulebook
