"""Runs a trial beside the service's work: case by case in a thread, with as long a pause after each case as it took."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.sla.application.case_list import visible_cases
from services.sla.application.identity import case_parties
from services.sla.application.queries import CaseQueries
from services.sla.application.rulebooks import HistoricalRulebooks
from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.evidence.case_history import CaseHistory
from services.sla.domain.what_if.causes import find_causes
from services.sla.domain.what_if.comparison import FindCauses, TrialComparison, compare_case
from services.sla.storage import case_histories, case_list
from services.sla.storage.case_list import CaseFilter
from services.sla.storage.trials import what_if_runs
from services.sla.what_if.documents import result_document
from services.sla.what_if.orders import TrialOrder
from services.sla.what_if.rulebooks import TrialRulebooks

_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class TrialLimits:
    """Bounds of a trial: cases, the newest of the period, and seconds."""

    cases: int = 2_000
    seconds: float = 120.0
    seconds_between_beats: float = 1.0


@dataclass(slots=True)
class _FoundCases:
    """The cases of the order that the person sees: their numbers by id, how many are of other versions, whether there are more."""

    numbers: dict[str, str] = field(default_factory=dict)
    other_version: int = 0
    more: bool = False


class TrialRunner:
    """Runs trials of one process; however many there are, one case at a time is carried out."""

    def __init__(self, queries: CaseQueries, stopping: asyncio.Event, limits: TrialLimits) -> None:
        self._queries = queries
        self._stopping = stopping
        self._limits = limits
        self._one_case = asyncio.Semaphore(1)

    async def run(self, run_id: UUID, order: TrialOrder) -> None:
        """Carry the cases of the order out and keep the result; a trial that a fault ends is marked as failed."""
        try:
            await self._run(run_id, order)
        finally:
            async with self._queries.database.transaction() as tx:
                await what_if_runs.fail(tx, run_id)

    async def _run(self, run_id: UUID, order: TrialOrder) -> None:
        queries, now = self._queries, self._queries.clock.now()
        began = beaten = time.monotonic()
        found = await self._find_cases(order, now)
        total = len(found.numbers)
        if not await self._beat(run_id, 0, total):
            return
        async with queries.database.transaction() as tx:
            history = await HistoricalRulebooks.load(tx)
        rulebooks = (
            TrialRulebooks(order.pack.procedure, {}, history),
            TrialRulebooks(order.changed.procedure, order.changed.parameters, history),
        )
        comparison, causes, done = TrialComparison(), find_causes(order.changed), 0
        if found.numbers:
            async for case in case_histories.load_case_histories(queries.database, list(found.numbers)):
                if self._stopping.is_set():
                    return
                if time.monotonic() - began > self._limits.seconds:
                    break
                await self._carry_out(comparison, case, rulebooks, to_micros(now), causes)
                done += 1
                if time.monotonic() - beaten > self._limits.seconds_between_beats:
                    beaten = time.monotonic()
                    if not await self._beat(run_id, done, total):
                        return
        left_out = {"other_version": found.other_version, "not_reached": total - done, "more": found.more}
        result = result_document(order, comparison, found.numbers, left_out, queries.zone)
        async with queries.database.transaction() as tx:
            await what_if_runs.finish(tx, run_id, result, done, total)

    async def _carry_out(
        self,
        comparison: TrialComparison,
        case: CaseHistory,
        rulebooks: tuple[TrialRulebooks, TrialRulebooks],
        until: int,
        causes: FindCauses,
    ) -> None:
        async with self._one_case:
            began = time.monotonic()
            await asyncio.to_thread(_compare, comparison, case, rulebooks, until, causes)
            # The thread holds the interpreter's lock most of the time: half of it belongs to the clocks and the other requests.
            await asyncio.sleep(time.monotonic() - began)

    async def _beat(self, run_id: UUID, done: int, total: int) -> bool:
        async with self._queries.database.transaction() as tx:
            return await what_if_runs.beat(tx, run_id, done, total)

    async def _find_cases(self, order: TrialOrder, now: datetime) -> _FoundCases:
        """The newest cases of the period that the person may read now, as a list of cases would show them to him."""
        queries, found, after = self._queries, _FoundCases(), None
        procedure = order.pack.procedure
        where = CaseFilter(procedure=procedure.id, received_from=order.period.received_from, received_before=order.period.received_before)
        visible = visible_cases(queries.policy, order.actor, now)
        while True:
            async with queries.database.transaction() as tx:
                page = await case_list.load_page(tx, where, visible, after, _PAGE)
            for position, case in page:
                after = position
                if not queries.policy.may_read(order.actor, case_parties(case), now):
                    continue
                if case.version != procedure.version:
                    found.other_version += 1
                elif len(found.numbers) == self._limits.cases:
                    found.more = True
                    return found
                else:
                    found.numbers[case.id] = case.number
            if len(page) < _PAGE:
                return found


def _compare(
    comparison: TrialComparison, case: CaseHistory, rulebooks: tuple[TrialRulebooks, TrialRulebooks], until: int, causes: FindCauses
) -> None:
    recorded = case.recorded_events()
    parameters: dict[str, Any] = recorded[0].body.get("parameters", {}) if recorded else {}
    before, after = (each.of_case(parameters) for each in rulebooks)
    compare_case(comparison, case.case, recorded, (before, after), until, causes)
