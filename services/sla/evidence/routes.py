"""HTTP API of the evidence archive."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from services.sla import api_documents
from services.sla.api import SlaApiDependencies, request_errors_as_problems
from services.sla.evidence.download import DownloadEvidence
from shared.procedures.access import Actor
from shared.runtime.http.bearer import BEARER_SCHEME


def router(dependencies: SlaApiDependencies, evidence: DownloadEvidence) -> APIRouter:
    """`GET /v1/cases/{case}/evidence`."""
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

    return routes
