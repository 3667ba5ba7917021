"""Finds the case of a code, shows the complainant's view of it, and takes his actions."""

from __future__ import annotations

from typing import Any

from services.sla.application.actions import ActionResult, TakeHttpActions
from services.sla.application.errors import ActionNotOfferedError, CodeUnknownError
from services.sla.application.queries import CaseQueries
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.views.follow_view import follow_document, open_actions
from services.sla.storage import cases, ledgers
from shared.contracts.actions import Action, ActionData
from shared.contracts.follow_codes import lookup_key
from shared.procedures.access import COMPLAINANT, Actor
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.explain.reasons.reason_text import reason_text
from shared.procedures.model.procedure import LanguageCode


class FollowCases:
    """Reads and acts for anyone who has the code of a case."""

    def __init__(self, actions: TakeHttpActions, queries: CaseQueries) -> None:
        self._actions = actions
        self._queries = queries

    async def document(self, code: str) -> dict[str, Any]:
        """The complainant's view (see `follow_document`); raises `CodeUnknownError`."""
        case, events = await self._load(code)
        return follow_document(case, self._queries.rulebooks.for_case(case), events, self._queries.zone)

    async def act(self, code: str, action: str, data: ActionData, idempotency_key: str | None = None) -> ActionResult:
        """Act as the complainant; raises `CodeUnknownError`, `ActionNotOfferedError` or another `RequestError`."""
        case, events = await self._load(code)
        offered = open_actions(case, events)
        if action not in offered:
            raise ActionNotOfferedError(f"action: must be one of {', '.join(offered)}")
        taken = Action(case=case.id, action=action, role=COMPLAINANT, data=data)
        return await self._actions.take(taken, Actor("", complains=True), idempotency_key)

    async def reason_text(self, code: str, language: LanguageCode, reason: str) -> str:
        """Why an action was refused, in words of the case's procedure; raises `CodeUnknownError`."""
        case, _ = await self._load(code)
        return reason_text(language, reason, ProcedureTexts(self._queries.rulebooks.for_case(case).procedure, language))

    async def _load(self, code: str) -> tuple[Case, list[dict[str, Any]]]:
        key = lookup_key(code)
        async with self._queries.database.transaction() as tx:
            case_id = await cases.find_case_by_key(tx, key) if key else None
            case = None if case_id is None else await cases.load_case(tx, case_id)
            events = [] if case is None else await ledgers.load_events_for_complainant(tx, case.id)
        if case is None:
            raise CodeUnknownError
        return case, events
