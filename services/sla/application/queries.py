"""Reads a case with its events, and explains its deadlines, for the actors whose department it concerns."""

from __future__ import annotations

from typing import Any

from services.sla.application.errors import CaseNotFoundError, ClockNotFoundError
from services.sla.application.identity import Actor, IdentityRegistry
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.domain.views import clock_view, redaction
from services.sla.storage import cases, ledgers
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database


class CaseQueries:
    """Answers of the HTTP routes that read; a case that does not concern the actor is not found."""

    def __init__(self, database: Database, rulebooks: RulebookRegistry, identities: IdentityRegistry, clock: Clock) -> None:
        self.clock = clock
        self.database = database
        self.rulebooks = rulebooks
        self.identities = identities

    async def describe_case(self, case_id: str, actor: Actor) -> dict[str, Any]:
        """A case with its clocks and events, without the fields that are confidential to the actor's department.

        Raises `CaseNotFoundError`.
        """
        case = await self.load_visible_case(case_id, actor)
        async with self.database.transaction() as tx:
            events = await ledgers.load_events(tx, case_id)
        rulebook = self.rulebooks.for_case(case)
        hidden = hidden_fields_for(actor, rulebook)
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
            "clocks": [clock_view.run_summary(case, rulebook, plan, run) for plan, run in clock_view.started_runs(case, rulebook)],
            "events": [redaction.redact(event, hidden) for event in events],
        }

    async def explain_clock(self, case_id: str, clock_id: str, actor: Actor) -> dict[str, Any]:
        """Every round of a clock, named by its id or clause, with the explanation of its due instants.

        Raises `CaseNotFoundError` or `ClockNotFoundError`.
        """
        case = await self.load_visible_case(case_id, actor)
        rulebook = self.rulebooks.for_case(case)
        runs = [(plan, run) for plan, run in clock_view.started_runs(case, rulebook) if clock_id in (plan.clock.id, *plan.clauses)]
        if not runs:
            raise ClockNotFoundError(f"clock: must be one of {', '.join(case.rounds) or 'none: no clock has started'}")
        explained = [clock_view.explained_run(case, rulebook, plan, run) for plan, run in runs]
        return {"case": case.id, "clock": runs[0][0].clock.id, "rounds": explained}

    async def load_visible_case(self, case_id: str, actor: Actor) -> Case:
        """A case that concerns the actor; raises `CaseNotFoundError`."""
        now = self.clock.now()
        async with self.database.transaction() as tx:
            case = await cases.load_case(tx, case_id)
        if case is None or not self.identities.may_see(actor, (case.department, case.proposed, *case.cooperating), now):
            raise CaseNotFoundError
        return case


def hidden_fields_for(actor: Actor, rulebook: Rulebook) -> tuple[str, ...]:
    """The confidential fields that the actor's department may not see; none for an actor without a department."""
    person = actor.person
    department = rulebook.organisation.department(person.department) if person is not None and person.department else None
    return () if department is None else redaction.hidden_fields(rulebook.procedure, department)
