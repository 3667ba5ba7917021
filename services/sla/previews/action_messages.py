"""`POST /v1/cases/{case}/actions/preview`: the messages that an action would request, decided as the action itself and not recorded."""

from http import HTTPStatus
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from services.sla import api_documents
from services.sla.api import MAX_ACTION_BYTES, ActionRequest, SlaApiDependencies, request_errors_as_problems
from services.sla.api_documents import ACTION_REFUSED
from services.sla.application.actions import TakeHttpActions
from services.sla.application.errors import CaseNotFoundError
from services.sla.application.queries import CaseQueries
from services.sla.domain.evidence.hash_chain import canonical_json
from services.sla.domain.views.instants import event_in_zone
from services.sla.domain.views.redaction import redact
from shared.contracts.actions import Action
from shared.contracts.base import CASE_ID_PATTERN
from shared.procedures.access import Actor
from shared.runtime.http.bearer import BEARER_SCHEME
from shared.runtime.http.body import read_model, request_body
from shared.runtime.http.problem import HttpProblem

_REQUESTED, _REFUSED = "notification_requested", "action_refused"


class PreviewActionMessages:
    """Decides on an action without recording it."""

    def __init__(self, actions: TakeHttpActions, queries: CaseQueries) -> None:
        self._actions = actions
        self._queries = queries

    async def messages(self, action: Action, actor: Actor) -> list[dict[str, Any]]:
        """The requests of messages, as the actor may see them; raises a `RequestError`, or HttpProblem 409 for a refused action."""
        queries, now = self._queries, self._queries.clock.now()
        case = await queries.load_visible_case(action.case, actor, now)
        entries = await self._actions.decide_only(action, actor)
        refusal = next((entry.fields for entry in entries if entry.type == _REFUSED), None)
        if refusal is not None:
            raise HttpProblem(ACTION_REFUSED, refusal["reason"], clause=refusal.get("clause", ""), case=case.id, action=action.action)
        hidden, procedure = queries.hidden_fields(actor, case, now), queries.rulebooks.for_case(case).procedure
        requested = [orjson.loads(canonical_json(entry.fields)) for entry in entries if entry.type == _REQUESTED and entry.case == case.id]
        return [redact(event_in_zone({"event": _REQUESTED, **fields}, procedure, queries.zone), hidden) for fields in requested]


def router(dependencies: SlaApiDependencies, preview: PreviewActionMessages) -> APIRouter:
    """The route, with the bearer token of a person."""
    routes = APIRouter(prefix="/v1/cases", tags=["cases"], dependencies=[Depends(BEARER_SCHEME)], responses=api_documents.ANY_CASE)
    body_schema = request_body(ActionRequest, api_documents.ACTION_EXAMPLE)

    @routes.post(
        "/{case}/actions/preview",
        summary="The messages of an action",
        openapi_extra=body_schema,
        responses=api_documents.ACTION_PREVIEW,
        status_code=HTTPStatus.OK,
    )
    async def preview_action(case: str, request: Request, actor: Annotated[Actor, Depends(dependencies.authenticate)]) -> JSONResponse:
        """Notifications that the action would cause now: events `notification_requested`. Nothing is recorded or sent."""
        body = await read_model(request, ActionRequest, MAX_ACTION_BYTES)
        with request_errors_as_problems():
            if CASE_ID_PATTERN.fullmatch(case) is None:
                raise CaseNotFoundError
            action = Action(case=case, action=body.action, role=body.role, data=body.data)
            messages = await preview.messages(action, actor)
        return JSONResponse({"case": case, "action": body.action, "messages": messages}, headers={"Cache-Control": "no-store"})

    return routes
