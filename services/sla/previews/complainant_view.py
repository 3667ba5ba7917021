"""`GET /v1/cases/{case}/complainant-view`: what the complainant reads on his page, for people whom the case concerns."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from services.sla import api_documents
from services.sla.api import SlaApiDependencies, request_errors_as_problems
from services.sla.application.queries import CaseQueries
from services.sla.domain.views.follow_view import follow_document
from services.sla.domain.views.redaction import redact_view
from services.sla.storage import ledgers
from shared.procedures.access import Actor
from shared.runtime.http.bearer import BEARER_SCHEME


class PreviewComplainantView:
    """Reads without the code: anyone who has it acts as the complainant, so that it is shown to no one else."""

    def __init__(self, queries: CaseQueries) -> None:
        self._queries = queries

    async def document(self, case_id: str, actor: Actor) -> dict[str, Any]:
        """The complainant's view, without the fields that are confidential to the actor; raises `CaseNotFoundError`."""
        queries, now = self._queries, self._queries.clock.now()
        case = await queries.load_visible_case(case_id, actor, now)
        async with queries.database.transaction() as tx:
            events = await ledgers.load_events_for_complainant(tx, case.id)
        shown = follow_document(case, queries.rulebooks.for_case(case), events, queries.zone)
        return redact_view(shown, queries.hidden_fields(actor, case, now))


def router(dependencies: SlaApiDependencies, view: PreviewComplainantView) -> APIRouter:
    """The route, with the bearer token of a person."""
    routes = APIRouter(prefix="/v1/cases", tags=["cases"], dependencies=[Depends(BEARER_SCHEME)], responses=api_documents.ANY_CASE)

    @routes.get("/{case}/complainant-view", summary="What the complainant sees", responses=api_documents.COMPLAINANT_VIEW)
    async def preview(case: str, actor: Annotated[Actor, Depends(dependencies.authenticate)]) -> JSONResponse:
        """Status, steps, what comes next and what the complainant may do. Neither his code nor his link is in it."""
        with request_errors_as_problems():
            shown = await view.document(case, actor)
        return JSONResponse(shown, headers={"Cache-Control": "no-store"})

    return routes
