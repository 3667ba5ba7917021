"""Reads a case with its events, and explains its deadlines, for the actors whose department it concerns."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.sla.application.errors import CaseNotFoundError, ClockNotFoundError
from services.sla.application.identity import IdentityRegistry, case_parties
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.permitting.permitted_actions import permitted_actions
from services.sla.domain.views import case_view, clock_view, permission_view
from services.sla.domain.views.instants import explanation_in_zone
from services.sla.storage import cases, ledgers
from shared.contracts.base import CASE_ID_PATTERN
from shared.procedures.access import Actor
from shared.procedures.calendars.zones import organisation_zone
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database


class CaseQueries:
    """Answers of the HTTP routes that read; a case that does not concern the actor is not found."""

    def __init__(self, database: Database, rulebooks: RulebookRegistry, identities: IdentityRegistry, clock: Clock) -> None:
        self.clock = clock
        self.database = database
        self.rulebooks = rulebooks
        self.policy = identities.policy
        self.zone = organisation_zone(rulebooks.organisation)

    async def describe_case(self, case_id: str, actor: Actor) -> dict[str, Any]:
        """A case with its lateness, clocks and events, without the fields that are confidential to the actor's department.

        Raises `CaseNotFoundError`.
        """
        now = self.clock.now()
        case = await self.load_visible_case(case_id, actor, now)
        async with self.database.transaction() as tx:
            events = await ledgers.load_events(tx, case_id)
        rulebook = self.rulebooks.for_case(case)
        return case_view.case_document(case, rulebook, to_micros(now), self.zone, self.hidden_fields(actor, case, now), events)

    async def list_clocks(self, case_id: str, actor: Actor) -> dict[str, Any]:
        """Every round of every clock that has started, with its state and lateness; raises `CaseNotFoundError`."""
        now = self.clock.now()
        case = await self.load_visible_case(case_id, actor, now)
        return {"case": case.id, "clocks": clock_view.clock_states(case, self.rulebooks.for_case(case), to_micros(now), self.zone)}

    async def explain_clock(self, case_id: str, clock_id: str, actor: Actor) -> dict[str, Any]:
        """Every round of a clock, named by its id or clause, with the explanation of its due instants.

        Raises `CaseNotFoundError` or `ClockNotFoundError`.
        """
        case = await self.load_visible_case(case_id, actor, self.clock.now())
        rulebook = self.rulebooks.for_case(case)
        runs = [(plan, run) for plan, run in clock_view.started_runs(case, rulebook) if clock_id in (plan.clock.id, *plan.clauses)]
        if not runs:
            raise ClockNotFoundError(f"clock: must be one of {', '.join(case.rounds) or 'none: no clock has started'}")
        explained = [clock_view.explained_run(case, rulebook, plan, run) for plan, run in runs]
        return {"case": case.id, "clock": runs[0][0].clock.id, "rounds": explanation_in_zone(explained, self.zone)}

    async def list_permitted_actions(self, case_id: str, actor: Actor) -> dict[str, Any]:
        """Every action with the roles in which the actor may take it now, or what forbids it; raises `CaseNotFoundError`."""
        now = self.clock.now()
        case = await self.load_visible_case(case_id, actor, now)
        roles = self.policy.roles(actor, case_parties(case), now)
        permissions = permitted_actions(case, self.rulebooks.for_case(case), roles, actor.id, to_micros(now))
        return permission_view.permission_document(case.id, now, self.zone, roles, permissions)

    def hidden_fields(self, actor: Actor, case: Case, at: datetime) -> tuple[str, ...]:
        """The confidential fields of the case that the actor may not see."""
        return self.policy.hidden_fields(actor, self.rulebooks.for_case(case).procedure, case_parties(case), at)

    async def load_visible_case(self, case_id: str, actor: Actor, at: datetime) -> Case:
        """A case that concerns the actor at that instant; raises `CaseNotFoundError`."""
        if CASE_ID_PATTERN.fullmatch(case_id) is None:
            raise CaseNotFoundError
        async with self.database.transaction() as tx:
            case = await cases.load_case(tx, case_id)
        if case is None or not self.policy.may_read(actor, case_parties(case), at):
            raise CaseNotFoundError
        return case
