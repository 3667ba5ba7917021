"""Answers of the desk when a page cannot be shown: a page with what is wrong and what to do, never a trace."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from services.desk.application.service_client import ServiceRefusedError, ServiceUnavailableError
from services.desk.pages.page import Pages, url_for
from services.desk.session import ForgedRequestError, SignInRequiredError
from shared.runtime.http.problem import SERVER_FAULT, HttpProblem, ProblemType


def add_fault_pages(app: FastAPI, pages: Pages) -> None:
    """Show faults as pages."""

    def page(request: Request, status: int, key: str, detail: str = "") -> Response:
        return pages.render(request, "fault.html", None, status, key=key, detail=detail)

    @app.exception_handler(SignInRequiredError)
    async def sign_in_required(request: Request, _: SignInRequiredError) -> Response:
        # An address that takes only a form leads nowhere after the sign-in: the inbox is shown instead.
        query = f"?{request.url.query}" if request.url.query else ""
        wanted = f"?next={quote(request.url.path + query, safe='/')}" if request.method == "GET" else ""
        target = f"{url_for(request, 'sign_in')}{wanted}"
        # htmx follows a redirect by itself and would put the sign-in page into the list.
        if request.headers.get("hx-request"):
            return Response(status_code=204, headers={"HX-Redirect": target})
        return RedirectResponse(target, 303)

    @app.exception_handler(ForgedRequestError)
    async def forged(request: Request, _: ForgedRequestError) -> Response:
        return page(request, 403, "fault.forged")

    @app.exception_handler(ServiceRefusedError)
    async def refused(request: Request, error: ServiceRefusedError) -> Response:
        language = pages.reader_language(request)
        words = [pages.names.reason(language, text) for text in (error.title, error.detail) if text]
        return page(request, error.status, "fault.refused", " ".join(filter(None, (*words, error.clause))))

    @app.exception_handler(ServiceUnavailableError)
    async def unavailable(request: Request, error: ServiceUnavailableError) -> Response:
        return page(request, 503, "fault.unavailable", error.service)

    @app.exception_handler(HTTPException)
    async def unserved(request: Request, error: HTTPException) -> Response:
        if not wants_page(request):
            return HttpProblem(ProblemType("", error.status_code, error.detail), headers=error.headers).to_response()
        return page(request, error.status_code, "fault.not_found")

    @app.exception_handler(HttpProblem)
    async def problem(request: Request, error: HttpProblem) -> Response:
        return page(request, error.type.status, "fault.invalid", error.detail) if wants_page(request) else error.to_response()

    @app.exception_handler(Exception)
    async def fault(request: Request, _: Exception) -> Response:
        # Starlette raises the error again after this answer, so that the server logs it.
        return page(request, 500, "fault.fault") if wants_page(request) else HttpProblem(SERVER_FAULT).to_response()


def wants_page(request: Request) -> bool:
    """Whether a browser asks: a scraper and a probe get a problem document."""
    return "text/html" in request.headers.get("accept", "")
