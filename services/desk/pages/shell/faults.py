"""Answers of the desk when a page cannot be shown: a page with what is wrong and what to do, never a trace."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from services.desk.application.service_client import ServiceRefusedError, ServiceUnavailableError
from services.desk.pages.page import Pages, url_for
from services.desk.session import ForgedRequestError, SignInRequiredError
from shared.runtime.http.problem import HttpProblem, ProblemType


def add_fault_pages(app: FastAPI, pages: Pages) -> None:
    """Show faults as pages."""

    def page(request: Request, status: int, key: str, detail: str = "") -> Response:
        return pages.render(request, "fault.html", None, status, key=key, detail=detail)

    @app.exception_handler(SignInRequiredError)
    async def sign_in_required(request: Request, _: SignInRequiredError) -> Response:
        target = f"{url_for(request, 'sign_in')}?next={quote(request.url.path)}"
        # htmx follows a redirect by itself and would put the sign-in page into the list.
        if request.headers.get("hx-request"):
            return Response(status_code=204, headers={"HX-Redirect": target})
        return RedirectResponse(target, 303)

    @app.exception_handler(ForgedRequestError)
    async def forged(request: Request, _: ForgedRequestError) -> Response:
        return page(request, 403, "fault.forged")

    @app.exception_handler(ServiceRefusedError)
    async def refused(request: Request, error: ServiceRefusedError) -> Response:
        return page(request, error.status, "fault.refused", " ".join(filter(None, (error.title, error.detail, error.clause))))

    @app.exception_handler(ServiceUnavailableError)
    async def unavailable(request: Request, error: ServiceUnavailableError) -> Response:
        return page(request, 503, "fault.unavailable", error.service)

    @app.exception_handler(HTTPException)
    async def unserved(request: Request, error: HTTPException) -> Response:
        if request.headers.get("accept", "").find("text/html") < 0:
            return HttpProblem(ProblemType("", error.status_code, error.detail), headers=error.headers).to_response()
        return page(request, error.status_code, "fault.not_found")
