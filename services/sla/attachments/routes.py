"""HTTP route of a case's attachments."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from services.sla import api_documents
from services.sla.api import SlaApiDependencies, request_errors_as_problems
from services.sla.attachments.access import AttachmentAddress, CaseAttachments
from shared.procedures.access import Actor
from shared.runtime.http.bearer import BEARER_SCHEME


class AttachmentLink(BaseModel):
    """A stored attachment; `url` is null where what it may show of the complainant is confidential to the reader."""

    reference: str = Field(description="as the event names it")
    name: str = Field(examples=["现场.jpg"])
    sha256: str
    event: str = Field(description="the event that brought it", examples=["surveyed"])
    at: str
    url: str | None
    expires_at: str


class AttachmentsAnswer(BaseModel):
    """The stored attachments of a case, oldest first."""

    case: str
    attachments: list[AttachmentLink]


def router(dependencies: SlaApiDependencies, attachments: CaseAttachments) -> APIRouter:
    """`GET /v1/cases/{case}/attachments`."""
    routes = APIRouter(prefix="/v1/cases", tags=["cases"], dependencies=[Depends(BEARER_SCHEME)], responses=api_documents.ANY_CASE)

    @routes.get(
        "/{case}/attachments",
        summary="The attachments of a case",
        responses={**api_documents.CASE, 200: {"model": AttachmentsAnswer}},
    )
    async def list_attachments(case: str, actor: Annotated[Actor, Depends(dependencies.authenticate)]) -> JSONResponse:
        """Each file with an address that reads it for a few minutes; anyone who has the address can read the file until then."""
        with request_errors_as_problems():
            addresses = await attachments.addresses(case, actor)
        document = {"case": case, "attachments": [_link(address).model_dump() for address in addresses]}
        return JSONResponse(document, headers={"Cache-Control": "no-store"})

    return routes


def _link(address: AttachmentAddress) -> AttachmentLink:
    reference = address.reference
    return AttachmentLink(
        reference=str(reference),
        name=reference.name,
        sha256=reference.sha256,
        event=address.event,
        at=address.at,
        url=address.url,
        expires_at=address.expires_at.isoformat(timespec="seconds"),
    )
