"""What is read of cases: a case with its events, and the explanation of its deadlines."""

from __future__ import annotations

from typing import Any

import orjson

from services.sla import storage
from services.sla.authority import Actor, Authority
from services.sla.domain import clock as clocks
from services.sla.domain import projection
from services.sla.domain.case import Case, Round
from services.sla.domain.draft import Draft
from services.sla.domain.explanation import explain
from services.sla.domain.rulebook import ClockPlan
from services.sla.rulebooks import Rulebooks
from shared.runtime.database import Database
from shared.runtime.problem import Problem

UNKNOWN = ("there is no such case", "case: must be the id of a registered case that concerns your department")


class CaseFiles:
    """Reads cases for those who have a part in them."""

    def __init__(self, database: Database, rulebooks: Rulebooks, authority: Authority) -> None:
        self.database = database
        self.rulebooks = rulebooks
        self.authority = authority

    async def case(self, name: str, actor: Actor) -> dict[str, Any]:
        """A case as it stands with its clocks and events; raises `Problem` 404."""
        case = await self._case(name, actor)
        async with self.database.transaction() as tx:
            events = await storage.events(tx, name)
        rulebook = self.rulebooks.of(case)
        person = actor.person
        unit = rulebook.organisation.department(person.department) if person is not None and person.department else None
        hidden = projection.hidden(rulebook.procedure, unit) if unit is not None else ()
        return {
            "case": case.id,
            "number": case.number,
            "procedure": case.procedure,
            "version": case.version,
            "status": case.status,
            "kind": case.kind,
            "class": case.class_,
            "subject": case.subject,
            "department": case.department,
            "proposed_department": case.proposed,
            "cooperating": case.cooperating,
            "handler": case.handler,
            "level": case.level,
            "clocks": [self._summary(case, plan, each) for plan, each in self._rounds(case)],
            "events": [projection.project(event, hidden) for event in events],
        }

    async def clock(self, name: str, clock: str, actor: Actor) -> dict[str, Any]:
        """Every round of a clock with its explanation; raises `Problem` 404."""
        case = await self._case(name, actor)
        rounds = [(plan, each) for plan, each in self._rounds(case) if clock in (plan.clock.id, *plan.clauses)]
        if not rounds:
            raise Problem(404, "there is no such clock", f"clock: must be one of {', '.join(case.rounds) or 'none: no clock has started'}")
        return {"case": case.id, "clock": rounds[0][0].clock.id, "rounds": [self._explained(case, plan, each) for plan, each in rounds]}

    async def _case(self, name: str, actor: Actor) -> Case:
        async with self.database.transaction() as tx:
            state = await tx.fetchval("SELECT state FROM cases WHERE id = $1", name)
        if state is None:
            raise Problem(404, *UNKNOWN)
        case = Case.load(orjson.loads(state))
        if not self.authority.may_see(actor, (case.department, case.proposed, *case.cooperating)):
            raise Problem(404, *UNKNOWN)
        return case

    def _rounds(self, case: Case) -> list[tuple[ClockPlan, Round]]:
        plans = self.rulebooks.of(case).plans
        return [(plans[name], each) for name, rounds in case.rounds.items() for each in rounds if each.state != "dormant"]

    def _summary(self, case: Case, plan: ClockPlan, current: Round) -> dict[str, Any]:
        worktime = self.rulebooks.of(case).worktime(case.department)
        return {
            "clock": plan.clock.id,
            "clauses": plan.clauses,
            "round": current.number,
            "state": current.state,
            "due_at": None if current.due is None else worktime.instant(current.due).isoformat(),
            "provisional": current.provisional,
        }

    def _explained(self, case: Case, plan: ClockPlan, current: Round) -> dict[str, Any]:
        rulebook = self.rulebooks.of(case)
        draft = Draft(case, rulebook, current.start)
        because = {"procedure": case.procedure, "version": case.version, "clauses": plan.clauses, "starts_on": current.event}
        limits = [clocks.limit(draft, plan, current, place) for place in range(len(plan.thresholds))]
        return {
            **self._summary(case, plan, current),
            "dues": [explain(draft.worktime, limit, because) for limit in limits if limit is not None],
        }
