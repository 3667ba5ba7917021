"""HTTP API about complainants: search by exact name or phone, unmasking with its record."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from services.sla import api_documents
from services.sla.api import SlaApiDependencies, request_errors_as_problems
from services.sla.people.complainants import Complainants, PersonQuery
from shared.contracts.base import StrictModel
from shared.procedures.access import Actor
from shared.runtime.http.bearer import BEARER_SCHEME
from shared.runtime.http.body import read_model, request_body

_MAX_BODY = 4_096
_NOT_STORED = {"Cache-Control": "no-store"}


class PersonSearchRequest(StrictModel):
    """Exactly one of both. In the body and not in the address: addresses are logged by proxies."""

    name: str = Field("", max_length=200)
    phone: str = Field("", max_length=100)


class UnmaskRequest(StrictModel):
    """The contact data to see, and why."""

    fields: list[Literal["name", "phone", "email", "address"]] = Field(min_length=1, max_length=4)
    reason: str = Field(min_length=2, max_length=500, pattern=r"\S")


def router(dependencies: SlaApiDependencies, complainants: Complainants) -> APIRouter:
    """`POST /v1/people/search`, `POST /v1/cases/{case}/unmask`, `GET /v1/cases/{case}/unmaskings`."""
    routes = APIRouter(prefix="/v1", tags=["people"], dependencies=[Depends(BEARER_SCHEME)], responses=api_documents.ANY_CASE)
    authenticated = Depends(dependencies.authenticate)
    search_body = request_body(PersonSearchRequest, {"name": "王建国"})
    unmask_body = request_body(UnmaskRequest, {"fields": ["phone"], "reason": "回访"})

    @routes.post("/people/search", summary="Find a complainant", openapi_extra=search_body, responses=api_documents.PERSON_SEARCH)
    async def search_people(request: Request, actor: Annotated[Actor, authenticated]) -> JSONResponse:
        """The latest cases of the complainant with this exact name or phone number that concern you; his name and phone are masked."""
        body = await read_model(request, PersonSearchRequest, _MAX_BODY)
        with request_errors_as_problems():
            found = await complainants.search(PersonQuery(body.name, body.phone), actor)
        return JSONResponse(found, headers=_NOT_STORED)

    @routes.post("/cases/{case}/unmask", summary="See contact data", openapi_extra=unmask_body, responses=api_documents.UNMASKING)
    async def unmask(case: str, request: Request, actor: Annotated[Actor, authenticated]) -> JSONResponse:
        """The complainant's contact data. That you saw them, and why, is recorded."""
        body = await read_model(request, UnmaskRequest, _MAX_BODY)
        with request_errors_as_problems():
            shown = await complainants.unmask(case, list(body.fields), body.reason, actor)
        return JSONResponse(shown, headers=_NOT_STORED)

    @routes.get("/cases/{case}/unmaskings", summary="Who saw contact data", responses=api_documents.UNMASKING)
    async def list_unmaskings(case: str, actor: Annotated[Actor, authenticated]) -> dict[str, Any]:
        """Recorded views of the case's contact data, with person and reason, the latest first."""
        with request_errors_as_problems():
            return await complainants.list_unmaskings(case, actor)

    return routes
