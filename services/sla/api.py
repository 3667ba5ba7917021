"""HTTP API of sla: actions on a case, a case with its events, the explanation of a deadline."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from services.sla import metrics
from services.sla.application import queries
from services.sla.application.actions import ActionResult, TakeHttpActions, event_summaries
from services.sla.application.errors import (
    ActionNotFoundError,
    CaseNotFoundError,
    CaseParkedError,
    ClockNotFoundError,
    FormNotFoundError,
    RequestError,
    RoleMissingError,
    RoleNotHeldError,
)
from services.sla.application.identity import Actor, IdentityRegistry
from shared.contracts.actions import Action, ActionData
from shared.contracts.base import ShortText, StrictModel
from shared.runtime.http.bearer import BEARER_SCHEME, bearer_token, unauthorized
from shared.runtime.http.body import read_model, request_body
from shared.runtime.http.problem import HttpProblem, ProblemType
from shared.runtime.http.rate_limit import RateLimit

MAX_ACTION_BYTES = 256_000
ACTION_REFUSED = ProblemType("action_refused", 409, "the action is refused")
PROBLEM_TYPES: dict[type[RequestError], ProblemType] = {
    CaseNotFoundError: ProblemType("unknown_case", 404, "there is no such case"),
    ClockNotFoundError: ProblemType("unknown_clock", 404, "there is no such clock"),
    FormNotFoundError: ProblemType("unknown_form", 404, "there is no such form"),
    CaseParkedError: ProblemType("case_parked", 409, "the case is parked"),
    ActionNotFoundError: ProblemType("unknown_action", 422, "there is no such action"),
    RoleMissingError: ProblemType("role_required", 422, "the action cannot be taken"),
    RoleNotHeldError: ProblemType("forbidden", 403, "the action cannot be taken"),
}


class ActionRequest(StrictModel):
    """An action in a request's body; the path holds the case, the token the actor."""

    action: Annotated[ShortText, Field(examples=["close"])]
    role: ShortText = ""
    data: ActionData = ActionData()


class SlaApiDependencies:
    """What the routes need: authentication, rate limit and use cases."""

    def __init__(
        self, identities: IdentityRegistry, actions: TakeHttpActions, case_queries: queries.CaseQueries, per_second: float
    ) -> None:
        self.actions = actions
        self.case_queries = case_queries
        self._tokens = identities.tokens
        self._rate_limit = RateLimit()
        self._per_second = per_second

    async def authenticate(self, request: Request) -> Actor:
        """The person of the bearer token; raises HttpProblem 401 or 429."""
        actor = self._tokens.find(bearer_token(request))
        if actor is None:
            metrics.ACTIONS_DENIED_TOTAL.labels("http").inc()
            raise unauthorized("Authorization: send the bearer token of a person of the organisation file")
        self._rate_limit.check(actor.id, self._per_second)
        self._rate_limit.consume(actor.id, self._per_second)
        return actor


def router(dependencies: SlaApiDependencies) -> APIRouter:
    """`POST /v1/cases/{id}/actions`, `GET /v1/cases/{id}`, `GET /v1/cases/{id}/clocks/{clock}`."""
    routes = APIRouter(prefix="/v1/cases", tags=["cases"], dependencies=[Depends(BEARER_SCHEME)])
    authenticated = Depends(dependencies.authenticate)

    @routes.post("/{case}/actions", summary="Act on a case", openapi_extra=request_body(ActionRequest))
    async def take_action(
        case: str,
        request: Request,
        actor: Annotated[Actor, authenticated],
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> JSONResponse:
        """200 accepted, 202 accepted and queued until earlier input has been read, 409 refused with reason and clause."""
        body = await read_model(request, ActionRequest, MAX_ACTION_BYTES)
        action = Action(case=case, action=body.action, role=body.role, data=body.data)
        with request_errors_as_problems():
            result = await dependencies.actions.take(action, actor, idempotency_key)
        return _action_response(case, body.action, result)

    @routes.get("/{case}", summary="A case with its events")
    async def get_case(case: str, actor: Annotated[Actor, authenticated]) -> dict[str, Any]:
        """The present state of the case, its clocks and its events."""
        with request_errors_as_problems():
            return await dependencies.case_queries.describe_case(case, actor)

    @routes.get("/{case}/clocks/{clock}", summary="Explain a deadline")
    async def get_clock(case: str, clock: str, actor: Annotated[Actor, authenticated]) -> dict[str, Any]:
        """Every round of the clock with its due instants and their explanation, computed again from the case's events."""
        with request_errors_as_problems():
            return await dependencies.case_queries.explain_clock(case, clock, actor)

    return routes


@contextmanager
def request_errors_as_problems() -> Iterator[None]:
    """Raise the `RequestError` of a use case as `HttpProblem`."""
    try:
        yield
    except RequestError as error:
        raise HttpProblem(PROBLEM_TYPES[type(error)], str(error)) from error


def _action_response(case: str, action: str, result: ActionResult) -> JSONResponse:
    refusal = next((event for event in result.events if event.type == "action_refused"), None)
    if refusal is not None:
        clause = refusal.data.get("clause", "")
        raise HttpProblem(ACTION_REFUSED, refusal.data["reason"], clause=clause, case=case, action=action)
    if not result.deferred and not result.repeated:
        metrics.ACTIONS_TOTAL.labels(action, "accepted").inc()
    body = {"case": case, "accepted": True, "repeated": result.repeated, "events": event_summaries(result.events)}
    return JSONResponse(body, 202 if result.deferred else 200)
