"""What is read of cases: a case with its events, and the explanation of its deadlines."""

from __future__ import annotations

from typing import Any

import orjson

from services.sla.application.http_problems import UNKNOWN_CLOCK, unknown_case
from services.sla.application.identity import Actor, IdentityRegistry
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.views import clock_view, redaction
from services.sla.storage import cases
from shared.runtime.database.database import Database
from shared.runtime.http.problem import HttpProblem


class CaseQueries:
    """Reads cases for those who have a part in them."""

    def __init__(self, database: Database, rulebooks: RulebookRegistry, identities: IdentityRegistry) -> None:
        self.database = database
        self.rulebooks = rulebooks
        self.identities = identities

    async def describe_case(self, case_id: str, actor: Actor) -> dict[str, Any]:
        """A case as it stands with its clocks and events; raises `Problem` 404."""
        case = await self._case(case_id, actor)
        async with self.database.transaction() as tx:
            events = await cases.load_events(tx, case_id)
        rulebook = self.rulebooks.for_case(case)
        person = actor.person
        unit = rulebook.organisation.department(person.department) if person is not None and person.department else None
        hidden = redaction.hidden_fields(rulebook.procedure, unit) if unit is not None else ()
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
            "clocks": [clock_view.run_summary(case, rulebook, plan, each) for plan, each in clock_view.started_runs(case, rulebook)],
            "events": [redaction.redact(event, hidden) for event in events],
        }

    async def explain_clock(self, case_id: str, clock_id: str, actor: Actor) -> dict[str, Any]:
        """Every round of a clock with its explanation; raises `Problem` 404."""
        case = await self._case(case_id, actor)
        rulebook = self.rulebooks.for_case(case)
        rounds = [(plan, each) for plan, each in clock_view.started_runs(case, rulebook) if clock_id in (plan.clock.id, *plan.clauses)]
        if not rounds:
            raise HttpProblem(UNKNOWN_CLOCK, f"clock: must be one of {', '.join(case.rounds) or 'none: no clock has started'}")
        explained = [clock_view.explained_run(case, rulebook, plan, each) for plan, each in rounds]
        return {"case": case.id, "clock": rounds[0][0].clock.id, "rounds": explained}

    async def _case(self, name: str, actor: Actor) -> Case:
        async with self.database.transaction() as tx:
            state = await tx.fetchval("SELECT state FROM cases WHERE id = $1", name)
        if state is None:
            raise unknown_case()
        case = Case.from_dict(orjson.loads(state))
        if not self.identities.may_see(actor, (case.department, case.proposed, *case.cooperating)):
            raise unknown_case()
        return case
