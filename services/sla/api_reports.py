"""HTTP API of sla's reports and improvement measures."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse
from pydantic import Field

from services.sla import api_documents
from services.sla.api import SlaApiDependencies, request_errors_as_problems
from services.sla.api_lists import accepted_list_format, list_response
from services.sla.application.reports.improvement_actions import NewImprovement, TrackImprovements
from services.sla.application.reports.report_queries import ReportQueries
from shared.contracts.base import Identifier, InputInstant, LongText, StrictModel
from shared.procedures.access import Actor
from shared.runtime.http.bearer import BEARER_SCHEME
from shared.runtime.http.body import read_model, request_body

_MAX_BODY = 64_000
_IMPROVEMENT_ACTIONS = Literal["done", "confirm", "reopen"]


class ReportSignature(StrictModel):
    """A signature: the token names who signs."""

    text: LongText = ""


class ImprovementRequest(StrictModel):
    """A measure to add."""

    text: Annotated[LongText, Field(min_length=1)]
    owner: Annotated[Identifier, Field(description="the id of a person or of a department")]
    due_at: InputInstant
    case: Identifier | None = None
    duty: Identifier | None = Field(default=None, description="the duty whose report it follows from")


class ImprovementAction(StrictModel):
    """A decision on a measure."""

    action: _IMPROVEMENT_ACTIONS
    text: LongText = ""


_SIGN_BODY = request_body(ReportSignature, {"text": "已审阅"})
_ADD_BODY = request_body(ImprovementRequest, {"text": "更换电梯轴承供应商", "owner": "zhao", "due_at": "2026-12-31T18:00:00+08:00"})
_ACT_BODY = request_body(ImprovementAction, {"action": "done", "text": "已更换"})


def router(dependencies: SlaApiDependencies, reports: ReportQueries, measures: TrackImprovements) -> APIRouter:
    """The routes under `/v1/reports` and `/v1/improvements`."""
    routes = APIRouter()
    routes.include_router(_report_routes(dependencies, reports))
    routes.include_router(_improvement_routes(dependencies, measures))
    return routes


def _report_routes(dependencies: SlaApiDependencies, reports: ReportQueries) -> APIRouter:
    routes = APIRouter(prefix="/v1/reports", tags=["reports"], dependencies=[Depends(BEARER_SCHEME)], responses=api_documents.ANY_CASE)
    authenticated = Depends(dependencies.authenticate)

    @routes.get("/{procedure}", summary="Reports of a procedure", responses=api_documents.REPORTS)
    async def list_reports(procedure: str, actor: Annotated[Actor, authenticated]) -> dict[str, Any]:
        """The reports that your role owes or supervises, the latest first, with their state."""
        with request_errors_as_problems():
            return {"reports": await reports.list_reports(procedure, actor)}

    @routes.get("/{procedure}/{duty}/{day}", summary="A report", responses=api_documents.REPORTS)
    async def get_report(procedure: str, duty: str, day: date, actor: Annotated[Actor, authenticated]) -> dict[str, Any]:
        """The report of a duty for the period that begins on `day`: figures, lists, improvement measures, signature."""
        with request_errors_as_problems():
            return await reports.describe_report(procedure, duty, day, actor)

    @routes.get(
        "/{procedure}/{duty}/{day}/lists/{list_id}", summary="A list of a report", response_class=FileResponse, responses=api_documents.LIST
    )
    async def get_report_list(
        procedure: str, duty: str, day: date, list_id: str, request: Request, actor: Annotated[Actor, authenticated]
    ) -> FileResponse:
        """The list as it was at the end of the report's period, for the cases that concern you, by `Accept`."""
        list_format = accepted_list_format(request)
        with request_errors_as_problems():
            built = await reports.read_list((procedure, duty, day), list_id, actor)
        return await list_response(built, list_format)

    @routes.post("/{procedure}/{duty}/{day}/sign", summary="Sign a report", openapi_extra=_SIGN_BODY, responses=api_documents.REPORT_ACTION)
    async def sign_report(procedure: str, duty: str, day: date, request: Request, actor: Annotated[Actor, authenticated]) -> dict[str, Any]:
        """200 signed; 403 another role signs it, 409 it was signed."""
        body = await read_model(request, ReportSignature, _MAX_BODY)
        with request_errors_as_problems():
            return await reports.sign((procedure, duty, day), actor, body.text)

    return routes


def _improvement_routes(dependencies: SlaApiDependencies, measures: TrackImprovements) -> APIRouter:
    routes = APIRouter(prefix="/v1/improvements", tags=["reports"], dependencies=[Depends(BEARER_SCHEME)], responses=api_documents.ANY_CASE)
    authenticated = Depends(dependencies.authenticate)

    @routes.get("/{procedure}", summary="Improvement measures", responses=api_documents.REPORTS)
    async def list_improvements(
        procedure: str,
        actor: Annotated[Actor, authenticated],
        state: Annotated[Literal["open", "done", "confirmed", "overdue"] | None, Query()] = None,
    ) -> dict[str, Any]:
        """The measures that concern you, by due instant."""
        with request_errors_as_problems():
            return {"improvements": await measures.list_measures(procedure, actor, state)}

    @routes.post(
        "/{procedure}",
        summary="Add an improvement measure",
        status_code=201,
        openapi_extra=_ADD_BODY,
        responses=api_documents.REPORT_ACTION,
    )
    async def add_improvement(procedure: str, request: Request, actor: Annotated[Actor, authenticated]) -> dict[str, Any]:
        """Add a measure with its owner and the instant by which it has to be done."""
        body = await read_model(request, ImprovementRequest, _MAX_BODY)
        new = NewImprovement(body.text, body.owner, body.due_at, body.case or "", body.duty or "")
        with request_errors_as_problems():
            return await measures.add(procedure, new, actor)

    @routes.post(
        "/{procedure}/{improvement}/actions",
        summary="Act on an improvement measure",
        openapi_extra=_ACT_BODY,
        responses=api_documents.REPORT_ACTION,
    )
    async def act_on_improvement(
        procedure: str, improvement: UUID, request: Request, actor: Annotated[Actor, authenticated]
    ) -> dict[str, Any]:
        """Report it done, confirm its effect, or reopen it."""
        body = await read_model(request, ImprovementAction, _MAX_BODY)
        with request_errors_as_problems():
            return await measures.act(procedure, improvement, (body.action, body.text), actor)

    return routes
