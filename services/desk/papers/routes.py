"""The papers of a case: the list of its forms, and each form to read, print or save."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from urllib.parse import quote

import httpx
from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from services.desk.pages.dependencies import DeskDependencies
from services.desk.session import Session, signed_in
from services.desk.storage.case_reading import load_case

PaperFormat = Literal["html", "pdf", "docx"]
_MEDIA_TYPES: Final[dict[PaperFormat, str]] = {
    "html": "text/html",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
_PASSED_HEADERS: Final = ("content-type", "content-disposition", "content-security-policy", "x-content-type-options")


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /cases/{case}/papers` and `GET /cases/{case}/papers/{form}`."""
    routes = APIRouter()

    @routes.get("/cases/{case}/papers", name="case_papers")
    async def list_papers(case: str, request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The forms of the case's procedure; 404 where the person may not see the case."""
        async with dependencies.database.transaction() as tx:
            reading = None if "\x00" in case else await load_case(tx, case, dependencies.viewer(session))
        if reading is None:
            raise HTTPException(404)
        procedure = reading.row["procedure"]
        forms: list[tuple[str, str]] = []
        if procedure in dependencies.regulations.packs:
            texts = dependencies.regulations.texts(procedure, dependencies.pages.reader_language(request))
            forms = [(form.id, texts.title(form)) for form in texts.procedure.forms if form.per == "case"]
        return dependencies.pages.render(request, "papers.html", session, row=reading.row, forms=forms, formats=tuple(_MEDIA_TYPES))

    @routes.get("/cases/{case}/evidence", name="case_evidence")
    async def download_evidence(case: str, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The evidence archive of the case, if the person may see all of it."""
        archive = await dependencies.services.request("GET", "sla", f"/v1/cases/{quote(case, safe='')}/evidence", session.token)
        return _passed_on(archive)

    @routes.get("/cases/{case}/papers/{form}", name="case_paper")
    async def show_paper(
        case: str,
        form: str,
        request: Request,
        session: Annotated[Session, Depends(signed_in)],
        format: PaperFormat = "html",  # noqa: A002 - the word in the address
        version: int | None = None,
    ) -> Response:
        """The form as sla prints it for this person; confidential fields are left out there."""
        parameters = {"language": dependencies.pages.reader_language(request)} | ({} if version is None else {"version": str(version)})
        path = f"/v1/cases/{quote(case, safe='')}/forms/{quote(form, safe='')}"
        headers = {"Accept": _MEDIA_TYPES[format]}
        printed = await dependencies.services.request("GET", "sla", path, session.token, params=parameters, headers=headers)
        return _passed_on(printed)

    return routes


def _passed_on(answer: httpx.Response) -> Response:
    passed = {name: answer.headers[name] for name in _PASSED_HEADERS if name in answer.headers}
    return Response(answer.content, headers={**passed, "Cache-Control": "no-store"})
