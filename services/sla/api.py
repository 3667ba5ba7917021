"""The HTTP edge: actions on a case, a case with its events, and why a deadline falls where it falls."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
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
    RequestError,
    RoleMissingError,
    RoleNotHeldError,
)
from services.sla.application.identity import Actor, IdentityRegistry
from shared.contracts.actions import Action, ActionData
from shared.contracts.base import ShortText, StrictModel
from shared.runtime.database.database import Database
from shared.runtime.http.problem import HttpProblem
from shared.runtime.http.rate_limit import RateLimit

LARGEST_BODY = 256_000
STATUS_AND_TITLE: dict[type[RequestError], tuple[int, str]] = {
    CaseNotFoundError: (404, "there is no such case"),
    ClockNotFoundError: (404, "there is no such clock"),
    CaseParkedError: (409, "the case is parked"),
    ActionNotFoundError: (422, "there is no such action"),
    RoleMissingError: (422, "the action cannot be taken"),
    RoleNotHeldError: (403, "the action cannot be taken"),
}


class ActionRequest(StrictModel):
    """An action in a request's body; the case stands in the path, the actor in the token."""

    action: Annotated[ShortText, Field(examples=["close"])]
    role: ShortText = ""
    data: ActionData = ActionData()


class SlaApiDependencies:
    """What the routes need: who is asking, how often he may, and what is asked."""

    def __init__(
        self,
        identities: IdentityRegistry,
        actions: TakeHttpActions,
        case_queries: queries.CaseQueries,
        database: Database,
        per_second: float,
    ) -> None:
        self.identities = identities
        self.actions = actions
        self.case_queries = case_queries
        self.database = database
        self._limit = RateLimit()
        self._per_second = per_second

    def authenticate(self, authorization: str | None) -> Actor:
        """Who is asking; raises `Problem` 401 or 429."""
        actor = self.identities.authenticate_bearer(authorization)
        if actor is None:
            metrics.ACTIONS_DENIED_TOTAL.labels("http").inc()
            raise HttpProblem(401, "who is asking?", "Authorization: send the bearer token of a person of the organisation file")
        if not self._limit.try_acquire(actor.id, self._per_second):
            raise HttpProblem(429, "too many requests", f"at most {self._per_second:g} a second for each person; try again later")
        return actor


def router(dependencies: SlaApiDependencies) -> APIRouter:
    """`POST /v1/cases/{id}/actions`, `GET /v1/cases/{id}`, `GET /v1/cases/{id}/clocks/{clock}`."""
    routes = APIRouter(prefix="/v1/cases", tags=["cases"])

    @routes.post("/{case}/actions", summary="Act on a case")
    async def act(
        case: str,
        asked: ActionRequest,
        request: Request,
        authorization: Annotated[str | None, Header()] = None,
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> JSONResponse:
        """200 accepted, 202 accepted in order behind what is not known yet, 409 refused with reason and clause."""
        actor = dependencies.authenticate(authorization)
        if int(request.headers.get("content-length") or 0) > LARGEST_BODY:
            raise HttpProblem(
                413, "the action is too large", f"body: at most {LARGEST_BODY} bytes; leave attachments elsewhere and name them"
            )
        action = Action(case=case, action=asked.action, role=asked.role, data=asked.data)
        with request_errors_as_problems():
            answer = await dependencies.actions.take(action, actor, idempotency_key)
        return _answer(case, asked.action, answer)

    @routes.get("/{case}", summary="A case with its events")
    async def show(case: str, authorization: Annotated[str | None, Header()] = None) -> dict[str, Any]:
        """The case as it stands, its clocks, and everything that happened to it."""
        with request_errors_as_problems():
            return await dependencies.case_queries.describe_case(case, dependencies.authenticate(authorization))

    @routes.get("/{case}/clocks/{clock}", summary="Why a deadline falls where it falls")
    async def clock(case: str, clock: str, authorization: Annotated[str | None, Header()] = None) -> dict[str, Any]:
        """Every round of the clock with its due instants and their explanation, counted again from the case's events."""
        with request_errors_as_problems():
            return await dependencies.case_queries.explain_clock(case, clock, dependencies.authenticate(authorization))

    return routes


@contextmanager
def request_errors_as_problems() -> Iterator[None]:
    """Answer the `RequestError` of a use case as problem+json."""
    try:
        yield
    except RequestError as error:
        status, title = STATUS_AND_TITLE[type(error)]
        raise HttpProblem(status, title, str(error)) from error


def _answer(case: str, action: str, answer: ActionResult) -> JSONResponse:
    refused = next((event for event in answer.events if event.type == "action_refused"), None)
    if refused is not None:
        more = {"clause": refused.data.get("clause", ""), "case": case, "action": action}
        raise HttpProblem(409, "the action is refused", refused.data["reason"], **more)
    if not answer.deferred and not answer.repeated:
        metrics.ACTIONS_TOTAL.labels(action, "accepted").inc()
    body = {"case": case, "accepted": True, "repeated": answer.repeated, "events": event_summaries(answer.events)}
    return JSONResponse(body, 202 if answer.deferred else 200)
