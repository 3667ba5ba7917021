"""Reads a case with its events, and explains its deadlines, for the actors whose department it concerns."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.sla.application.errors import CaseNotFoundError, ClockNotFoundError
from services.sla.application.identity import Actor, IdentityRegistry
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.views import case_view, clock_view, redaction
from services.sla.domain.views.instants import explanation_in_zone
from services.sla.storage import cases, ledgers
from shared.procedures.calendars.zones import organisation_zone
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database


class CaseQueries:
    """Answers of the HTTP routes that read; a case that does not concern the actor is not found."""

    def __init__(self, database: Database, rulebooks: RulebookRegistry, identities: IdentityRegistry, clock: Clock) -> None:
        self.clock = clock
        self.database = database
        self.rulebooks = rulebooks
        self.identities = identities
        self.zone = organisation_zone(rulebooks.organisation)

    async def describe_case(self, case_id: str, actor: Actor) -> dict[str, Any]:
        """A case with its lateness, clocks and events, without the fields that are confidential to the actor's department.

        Raises `CaseNotFoundError`.
        """
        case = await self._load(case_id, actor)
        async with self.database.transaction() as tx:
            events = await ledgers.load_events(tx, case_id)
        rulebook = self.rulebooks.for_case(case)
        return case_view.case_document(case, rulebook, self._now(), self.zone, self.hidden_fields(actor, case, self.clock.now()), events)

    async def list_clocks(self, case_id: str, actor: Actor) -> dict[str, Any]:
        """Every round of every clock that has started, with its state and lateness; raises `CaseNotFoundError`."""
        case = await self._load(case_id, actor)
        clocks = clock_view.clock_states(case, self.rulebooks.for_case(case), self._now(), self.zone)
        return {"case": case.id, "clocks": clocks}

    async def explain_clock(self, case_id: str, clock_id: str, actor: Actor) -> dict[str, Any]:
        """Every round of a clock, named by its id or clause, with the explanation of its due instants.

        Raises `CaseNotFoundError` or `ClockNotFoundError`.
        """
        case = await self._load(case_id, actor)
        rulebook = self.rulebooks.for_case(case)
        runs = [(plan, run) for plan, run in clock_view.started_runs(case, rulebook) if clock_id in (plan.clock.id, *plan.clauses)]
        if not runs:
            raise ClockNotFoundError(f"clock: must be one of {', '.join(case.rounds) or 'none: no clock has started'}")
        explained = [clock_view.explained_run(case, rulebook, plan, run) for plan, run in runs]
        return {"case": case.id, "clock": runs[0][0].clock.id, "rounds": explanation_in_zone(explained, self.zone)}

    def _now(self) -> int:
        return to_micros(self.clock.now())

    def may_see(self, actor: Actor, case: Case, at: datetime) -> bool:
        """Whether the case concerns the actor at that instant."""
        return self.identities.may_see(actor, (case.department, case.proposed, *case.cooperating), at)

    def hidden_fields(self, actor: Actor, case: Case, at: datetime) -> tuple[str, ...]:
        """The confidential fields of the case that the actor may not see."""
        person, rulebook = actor.person, self.rulebooks.for_case(case)
        department = rulebook.organisation.department(person.department) if person is not None and person.department else None
        return () if department is None else redaction.hidden_fields(rulebook.procedure, department)

    async def _load(self, case_id: str, actor: Actor) -> Case:
        async with self.database.transaction() as tx:
            case = await cases.load_case(tx, case_id)
        if case is None or not self.may_see(actor, case, self.clock.now()):
            raise CaseNotFoundError
        return case
