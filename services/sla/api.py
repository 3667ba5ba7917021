"""The HTTP edge: actions on a case, a case with its events, and why a deadline falls where it falls."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from services.sla import metrics
from services.sla.application import queries
from services.sla.application.cases import Actions, Answer, fields
from services.sla.application.identity import Actor, Authority
from shared.contracts.actions import Action, ActionData
from shared.contracts.base import Line, Strict
from shared.runtime.database.database import Database
from shared.runtime.http.problem import Problem
from shared.runtime.http.rate_limit import RateLimit

LARGEST_BODY = 256_000


class Asked(Strict):
    """An action in a request's body; the case stands in the path, the actor in the token."""

    action: Annotated[Line, Field(examples=["close"])]
    role: Line = ""
    data: ActionData = ActionData()


class Edge:
    """What the routes need: who is asking, how often he may, and what is asked."""

    def __init__(self, authority: Authority, actions: Actions, cases: queries.CaseFiles, database: Database, per_second: float) -> None:
        self.authority = authority
        self.actions = actions
        self.cases = cases
        self.database = database
        self._limit = RateLimit()
        self._per_second = per_second

    def actor(self, authorization: str | None) -> Actor:
        """Who is asking; raises `Problem` 401 or 429."""
        actor = self.authority.bearer(authorization)
        if actor is None:
            metrics.DENIED.labels("http").inc()
            raise Problem(401, "who is asking?", "Authorization: send the bearer token of a person of the organisation file")
        if not self._limit.allows(actor.id, self._per_second):
            raise Problem(429, "too many requests", f"at most {self._per_second:g} a second for each person; try again later")
        return actor


def router(edge: Edge) -> APIRouter:
    """`POST /v1/cases/{id}/actions`, `GET /v1/cases/{id}`, `GET /v1/cases/{id}/clocks/{clock}`."""
    routes = APIRouter(prefix="/v1/cases", tags=["cases"])

    @routes.post("/{case}/actions", summary="Act on a case")
    async def act(
        case: str,
        asked: Asked,
        request: Request,
        authorization: Annotated[str | None, Header()] = None,
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> JSONResponse:
        """200 accepted, 202 accepted in order behind what is not known yet, 409 refused with reason and clause."""
        actor = edge.actor(authorization)
        if int(request.headers.get("content-length") or 0) > LARGEST_BODY:
            raise Problem(413, "the action is too large", f"body: at most {LARGEST_BODY} bytes; leave attachments elsewhere and name them")
        answer = await edge.actions.act(Action(case=case, action=asked.action, role=asked.role, data=asked.data), actor, idempotency_key)
        return _answer(case, asked.action, answer)

    @routes.get("/{case}", summary="A case with its events")
    async def show(case: str, authorization: Annotated[str | None, Header()] = None) -> dict[str, Any]:
        """The case as it stands, its clocks, and everything that happened to it."""
        return await edge.cases.case(case, edge.actor(authorization))

    @routes.get("/{case}/clocks/{clock}", summary="Why a deadline falls where it falls")
    async def clock(case: str, clock: str, authorization: Annotated[str | None, Header()] = None) -> dict[str, Any]:
        """Every round of the clock with its due instants and their explanation, counted again from the case's events."""
        return await edge.cases.clock(case, clock, edge.actor(authorization))

    return routes


def _answer(case: str, action: str, answer: Answer) -> JSONResponse:
    refused = next((event for event in answer.events if event.type == "action_refused"), None)
    if refused is not None:
        more = {"clause": refused.data.get("clause", ""), "case": case, "action": action}
        raise Problem(409, "the action is refused", refused.data["reason"], **more)
    if not answer.waits and not answer.repeated:
        metrics.ACTIONS.labels(action, "accepted").inc()
    body = {"case": case, "accepted": True, "repeated": answer.repeated, "events": fields(answer.events)}
    return JSONResponse(body, 202 if answer.waits else 200)
