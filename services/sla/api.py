"""HTTP API of sla: actions on a case, a case with its events, the explanation of a deadline."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import tzinfo
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from services.sla import api_case_list, api_documents, metrics
from services.sla.api_documents import ACTION_REFUSED, PROBLEM_TYPES
from services.sla.application import queries
from services.sla.application.actions import ActionResult, TakeHttpActions, event_summaries
from services.sla.application.case_list import ListCases
from services.sla.application.errors import ActionInProgressError, CaseNotFoundError, RequestError
from services.sla.application.identity import IdentityRegistry
from shared.contracts.actions import Action, ActionData, SentActionData
from shared.contracts.base import CASE_ID_PATTERN, InputName, StrictModel
from shared.procedures.access import Actor
from shared.procedures.calendars.zones import organisation_zone
from shared.runtime.http.bearer import BEARER_SCHEME, unauthorized
from shared.runtime.http.body import read_model, request_body
from shared.runtime.http.problem import HttpProblem
from shared.runtime.http.rate_limit import RateLimit

MAX_ACTION_BYTES = 256_000


class ActionRequest(StrictModel):
    """An action in a request's body; the path holds the case, the token the actor."""

    action: Annotated[InputName, Field(examples=["close"])]
    role: InputName = ""
    data: SentActionData = ActionData()


_ACTION_BODY = request_body(ActionRequest, api_documents.ACTION_EXAMPLE)


class SlaApiDependencies:
    """Dependencies of the routes: authentication, rate limit and use cases."""

    def __init__(
        self,
        identities: IdentityRegistry,
        actions: TakeHttpActions,
        case_queries: queries.CaseQueries,
        case_list: ListCases,
        per_second: float,
    ) -> None:
        self.actions = actions
        self.case_list = case_list
        self.case_queries = case_queries
        self.zone = organisation_zone(identities.policy.organisation)
        self._people = identities.people
        self._rate_limit = RateLimit()
        self._per_second = per_second

    async def authenticate(self, request: Request) -> Actor:
        """The person of the bearer token; raises HttpProblem 401, 429, or 503 while the identity provider cannot be read."""
        try:
            person = await self._people.person(request)
            if person is None:
                raise unauthorized("Authorization: send the bearer token of a person of the organisation file")
        except HttpProblem as problem:
            if problem.type.status == HTTPStatus.UNAUTHORIZED:
                metrics.ACTIONS_DENIED_TOTAL.labels("http").inc()
            raise
        self._rate_limit.check(person.id, self._per_second)
        self._rate_limit.consume(person.id, self._per_second)
        return Actor(person.id, person)


def router(dependencies: SlaApiDependencies) -> APIRouter:
    """`GET /v1/cases`, `GET /v1/cases/{id}`, `POST /v1/cases/{id}/actions`, `GET /v1/cases/{id}/clocks` and `…/clocks/{clock}`."""
    routes = APIRouter(prefix="/v1/cases", tags=["cases"], dependencies=[Depends(BEARER_SCHEME)], responses=api_documents.ANY_CASE)
    authenticated = Depends(dependencies.authenticate)

    @routes.get("", summary="List cases", response_class=Response, responses=api_documents.CASE_LIST)
    async def list_cases(
        request: Request,
        actor: Annotated[Actor, authenticated],
        parameters: Annotated[api_case_list.CaseListParameters, Query()],
        complainant_phone: Annotated[str | None, Header(max_length=100, description=api_case_list.PHONE_HEADER)] = None,
    ) -> Response:
        """The cases that concern you, newest first, as JSON or with `Accept: text/csv` as CSV; the header Link names the next page."""
        with request_errors_as_problems():
            where = dependencies.case_list.with_phone(parameters.to_filter(), complainant_phone, actor)
            page = await dependencies.case_list.page(where, parameters.cursor, parameters.limit, actor)
        return api_case_list.page_response(page, request)

    @routes.post("/{case}/actions", summary="Act on a case", openapi_extra=_ACTION_BODY, responses=api_documents.ACTION)
    async def take_action(
        case: str,
        request: Request,
        actor: Annotated[Actor, authenticated],
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> JSONResponse:
        """200 accepted, 202 accepted and queued until earlier input has been read, 409 refused with reason and clause."""
        body = await read_model(request, ActionRequest, MAX_ACTION_BYTES)
        with request_errors_as_problems():
            if CASE_ID_PATTERN.fullmatch(case) is None:
                raise CaseNotFoundError
            action = Action(case=case, action=body.action, role=body.role, data=body.data)
            result = await dependencies.actions.take(action, actor, idempotency_key)
        return action_response(case, body.action, result, dependencies.zone)

    @routes.get("/{case}", summary="A case with its events", responses=api_documents.CASE)
    async def get_case(case: str, actor: Annotated[Actor, authenticated]) -> dict[str, Any]:
        """The present state of the case, its clocks and its events."""
        with request_errors_as_problems():
            return await dependencies.case_queries.describe_case(case, actor)

    @routes.get("/{case}/permitted-actions", summary="What you may do with a case now", responses=api_documents.PERMITTED_ACTIONS)
    async def get_permitted_actions(case: str, actor: Annotated[Actor, authenticated]) -> dict[str, Any]:
        """Every action: the roles in which you may take it now and what it needs, or the reason and the clause that forbid it."""
        with request_errors_as_problems():
            return await dependencies.case_queries.list_permitted_actions(case, actor)

    @routes.get("/{case}/clocks", summary="The clocks of a case", responses=api_documents.CLOCKS)
    async def get_clocks(case: str, actor: Annotated[Actor, authenticated]) -> dict[str, Any]:
        """Every round of every clock that has started: state, due instant, whether it is late and by how much."""
        with request_errors_as_problems():
            return await dependencies.case_queries.list_clocks(case, actor)

    @routes.get("/{case}/clocks/{clock}", summary="Explain a deadline", responses=api_documents.CLOCK)
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
        headers = {"Retry-After": "1"} if isinstance(error, ActionInProgressError) else {}
        raise HttpProblem(PROBLEM_TYPES[type(error)], str(error), headers=headers) from error


def action_response(case: str, action: str, result: ActionResult, zone: tzinfo) -> JSONResponse:
    """The answer to an action: its events, 202 while it is queued; raises HttpProblem 409 with the clause if it was refused."""
    refusal = next((event for event in result.events if event.type == "action_refused"), None)
    if refusal is not None:
        clause = refusal.data.get("clause", "")
        raise HttpProblem(ACTION_REFUSED, refusal.data["reason"], clause=clause, case=case, action=action)
    if not result.deferred and not result.repeated:
        metrics.ACTIONS_TOTAL.labels(action, "accepted").inc()
    body = {"case": case, "accepted": True, "repeated": result.repeated, "events": event_summaries(result.events, zone)}
    return JSONResponse(body, 202 if result.deferred else 200)
