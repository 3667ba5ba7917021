"""Adds improvement measures and tracks them until they are done and their effect is confirmed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.sla.application.errors import CaseNotFoundError, ImprovementDataError, ReportActionError, ReportNotFoundError, ReportRoleError
from services.sla.application.identity import case_parties
from services.sla.application.lists.list_queries import ListQueries
from services.sla.application.queries import CaseQueries
from services.sla.storage.reports import improvements, report_events
from services.sla.storage.reports.improvements import Improvement
from services.sla.storage.reports.report_lists import load_cases_by_id
from shared.procedures.access import Actor
from shared.procedures.model.procedure import Procedure
from shared.runtime.clock import uuid7
from shared.runtime.database.database import Transaction

_FROM_STATES = {"done": ("open",), "confirm": ("done",), "reopen": ("done", "confirmed")}
_TO_STATES = {"done": "done", "confirm": "confirmed", "reopen": "open"}


@dataclass(frozen=True, slots=True)
class NewImprovement:
    """A measure to add: `owner` is a person or a department, `case` the case that it follows from, if any."""

    text: str
    owner: str
    due_at: datetime
    case: str = ""
    duty: str = ""


class TrackImprovements:
    """The use cases of improvement measures.

    They belong to those who owe or read a report of the procedure, who add, confirm and reopen them; the owner reports them done.
    """

    def __init__(self, case_queries: CaseQueries, lists: ListQueries) -> None:
        self._cases = case_queries
        self._lists = lists

    async def list_measures(self, procedure_id: str, actor: Actor, state: str | None = None) -> list[dict[str, Any]]:
        """The measures that the actor may read, by due instant; `state` may also be `overdue`. Raises `ListNotFoundError`."""
        procedure, now = self._lists.procedure(procedure_id), self._cases.clock.now()
        async with self._cases.database.transaction() as tx:
            measures = await improvements.load_improvements(tx, procedure_id)
            visible = await self._visible(tx, procedure, measures, actor)
        documents = [improvement_document(measure, now) for measure in visible]
        return [document for document in documents if state in (None, document["state"]) or (state == "overdue" and document["overdue"])]

    async def add(self, procedure_id: str, new: NewImprovement, actor: Actor) -> dict[str, Any]:
        """Add a measure; raises a `RequestError`."""
        procedure, now = self._lists.procedure(procedure_id), self._cases.clock.now()
        self._require_report_role(procedure, actor, now)
        if new.due_at <= now:
            raise ImprovementDataError("due_at: has passed; give an instant to come")
        measure = Improvement(UUID(str(uuid7())), procedure_id, new.case, new.owner, new.text, new.due_at, now, actor.id, duty=new.duty)
        self._require_owner(measure)
        if new.duty and new.duty not in {duty.id for duty in procedure.duties}:
            raise ImprovementDataError(f"duty: must be one of {', '.join(duty.id for duty in procedure.duties) or 'none'}")
        async with self._cases.database.transaction() as tx:
            if new.case:
                await self._require_case(tx, measure, actor, now)
            if await improvements.count_improvements(tx, procedure_id) >= improvements.MAX_IMPROVEMENTS:
                raise ReportActionError(f"the procedure has {improvements.MAX_IMPROVEMENTS} measures; more cannot be tracked")
            await improvements.insert_improvement(tx, measure)
            fields = {"owner": new.owner, "text": new.text, "due_at": new.due_at.isoformat(), "case": new.case, "duty": new.duty}
            await self._record(tx, measure, "improvement_added", actor, fields)
        return improvement_document(measure, now)

    async def act(self, procedure_id: str, improvement_id: UUID, action: tuple[str, str], actor: Actor) -> dict[str, Any]:
        """Report a measure done, confirm its effect, or reopen it; `action` is the act and its text. Raises a `RequestError`."""
        procedure, now = self._lists.procedure(procedure_id), self._cases.clock.now()
        name, text = action
        async with self._cases.database.transaction() as tx:
            measure = await improvements.lock_improvement(tx, procedure_id, improvement_id)
            if measure is None or not await self._visible(tx, procedure, [measure], actor):
                raise ReportNotFoundError
            if name != "done" or not self._owns(measure, actor, now):
                self._require_report_role(procedure, actor, now)
            if name == "confirm" and actor.id == measure.done_by:
                raise ReportRoleError("actor: who reported the measure done cannot confirm its effect; ask another person")
            if measure.state not in _FROM_STATES[name]:
                raise ReportActionError(f"{name}: the measure is {measure.state}; it has to be {' or '.join(_FROM_STATES[name])}")
            changed = _changed(measure, name, text, actor.id, now)
            await improvements.update_improvement(tx, changed)
            await self._record(tx, changed, f"improvement_{_TO_STATES[name] if name != 'reopen' else 'reopened'}", actor, {"text": text})
        return improvement_document(changed, now)

    async def _visible(self, tx: Transaction, procedure: Procedure, measures: list[Improvement], actor: Actor) -> list[Improvement]:
        """The measures that concern the actor, without those that follow from a case that he may not read."""
        now = self._cases.clock.now()
        reads_reports = self._reads_reports(procedure, actor, now)
        cases = await load_cases_by_id(tx, sorted({measure.case for measure in measures if measure.case}))
        return [
            measure
            for measure in measures
            if (reads_reports or self._owns(measure, actor, now))
            and (not measure.case or self._cases.policy.may_read(actor, case_parties(cases[measure.case]), now))
        ]

    async def _require_case(self, tx: Transaction, measure: Improvement, actor: Actor, now: datetime) -> None:
        case = (await load_cases_by_id(tx, [measure.case])).get(measure.case)
        policy = self._cases.policy
        if case is None or case.procedure != measure.procedure or not policy.may_read(actor, case_parties(case), now):
            raise CaseNotFoundError
        person = policy.organisation.person(improvement_owner(policy.organisation, measure) or "")
        # Whoever the complaint is about would learn of it from the measure.
        if person is not None and not policy.may_read(Actor(person.id, person), case_parties(case), now):
            raise ImprovementDataError("owner: may not see that case; name another one, or leave case out")

    def _require_owner(self, measure: Improvement) -> None:
        organisation = self._cases.policy.organisation
        if organisation.person(measure.owner) is None and organisation.department(measure.owner) is None:
            raise ImprovementDataError("owner: must be the id of a person or of a department of the organisation")

    def _require_report_role(self, procedure: Procedure, actor: Actor, now: datetime) -> None:
        if not self._reads_reports(procedure, actor, now):
            owners = ", ".join(sorted({duty.owner for duty in procedure.duties})) or "none: the procedure has no duties"
            raise ReportRoleError(f"role: needs a role that owes a report of the procedure, or one above it: {owners}")

    def _reads_reports(self, procedure: Procedure, actor: Actor, now: datetime) -> bool:
        return any(self._cases.policy.may_read_report(actor, duty.owner, now) for duty in procedure.duties)

    def _owns(self, measure: Improvement, actor: Actor, now: datetime) -> bool:
        return improvement_owner(self._cases.policy.organisation, measure) in self._cases.policy.represented_ids(actor, now)

    async def _record(self, tx: Transaction, measure: Improvement, event: str, actor: Actor, fields: dict[str, Any]) -> None:
        now = self._cases.clock.now()
        await report_events.append_event(tx, measure.procedure, event, now, {**fields, "improvement": str(measure.id), "actor": actor.id})


def improvement_owner(organisation: Any, measure: Improvement) -> str | None:
    """The id of the person who owes a measure: the owner, or the head of the owning department."""
    department = organisation.department(measure.owner)
    return measure.owner if department is None else department.head


def improvement_document(measure: Improvement, now: datetime) -> dict[str, Any]:
    """A measure as people read it."""
    return {
        "id": str(measure.id),
        "procedure": measure.procedure,
        "text": measure.text,
        "owner": measure.owner,
        "due_at": measure.due_at.isoformat(),
        "case": measure.case or None,
        "duty": measure.duty or None,
        "state": measure.state,
        "overdue": measure.is_overdue(now),
        "added_at": measure.added_at.isoformat(),
        "added_by": measure.added_by,
        "done_at": None if measure.done_at is None else measure.done_at.isoformat(),
        "done_by": measure.done_by or None,
        "texts": measure.texts,
    }


def _changed(measure: Improvement, action: str, text: str, actor: str, now: datetime) -> Improvement:
    texts = {**measure.texts, action: text} if text else measure.texts
    match action:
        case "done":
            return replace(measure, state="done", done_at=now, done_by=actor, texts=texts)
        case "reopen":
            # Its due instant stays: whoever reopens it late hears of it at once.
            return replace(measure, state="open", done_at=None, done_by="", chased_at=None, texts=texts)
    return replace(measure, state="confirmed", texts=texts)
