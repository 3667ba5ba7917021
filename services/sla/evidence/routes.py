"""HTTP API of what the ledger shows: the evidence archive, and the case as of a past instant."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from services.sla import api_documents
from services.sla.api import SlaApiDependencies, request_errors_as_problems
from services.sla.evidence.download import DownloadEvidence
from services.sla.evidence.past_cases import ReadPastCase
from shared.contracts.base import InputInstant
from shared.procedures.access import Actor
from shared.runtime.http.bearer import BEARER_SCHEME


def router(dependencies: SlaApiDependencies, evidence: DownloadEvidence, past: ReadPastCase) -> APIRouter:
    """`GET /v1/cases/{case}/evidence` and `GET /v1/cases/{case}/past`."""
    routes = APIRouter(prefix="/v1/cases", tags=["cases"], dependencies=[Depends(BEARER_SCHEME)], responses=api_documents.ANY_CASE)

    @routes.get("/{case}/evidence", summary="The evidence of a case", response_class=Response, responses=api_documents.EVIDENCE)
    async def get_evidence(case: str, actor: Annotated[Actor, Depends(dependencies.authenticate)]) -> Response:
        """The ledger with its hashes, explanations, clauses and proofs as a zip; `jiesu evidence --verify` checks it without us."""
        with request_errors_as_problems():
            content = await evidence.archive(case, actor)
        headers = {
            "Cache-Control": "no-store",
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(case, safe='')}.evidence.zip",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(content, media_type="application/zip", headers=headers)

    @routes.get("/{case}/past", summary="A case as of a past instant", responses=api_documents.PAST_CASE)
    async def get_past_case(
        case: str,
        actor: Annotated[Actor, Depends(dependencies.authenticate)],
        as_of: Annotated[InputInstant, Query(examples=["2026-09-24T16:40:00+08:00"])],
    ) -> dict[str, Any]:
        """The case from the events that were recorded until then, by the regulation and calendars of each decision."""
        with request_errors_as_problems():
            return await past.describe(case, as_of, actor)

    return routes
