"""HTTP API of sla's forms: a form of a case, in the format that the client accepts."""

import asyncio
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from services.sla import api_documents
from services.sla.api import SlaApiDependencies, request_errors_as_problems
from services.sla.application.forms.form_queries import FormQueries
from shared.procedures.access import Actor
from shared.procedures.forms.html_form import form_policy
from shared.procedures.forms.printing import FORMATS, FormFormat, is_available, media_type, render_form
from shared.runtime.http.accept import preferred_media_type
from shared.runtime.http.bearer import BEARER_SCHEME
from shared.runtime.http.problem import HttpProblem

_HEADERS = {
    "Cache-Control": "no-store",
    "Vary": "Accept",
    "X-Content-Type-Options": "nosniff",
}
MAX_VERSION = 100_000


def router(dependencies: SlaApiDependencies, form_queries: FormQueries) -> APIRouter:
    """`GET /v1/cases/{case}/forms/{form}`."""
    routes = APIRouter(prefix="/v1/cases", tags=["cases"], dependencies=[Depends(BEARER_SCHEME)], responses=api_documents.ANY_CASE)

    @routes.get("/{case}/forms/{form}", summary="A form of a case", response_class=Response, responses=api_documents.FORM)
    async def get_form(
        case: str,
        form: str,
        request: Request,
        actor: Annotated[Actor, Depends(dependencies.authenticate)],
        language: Literal["zh", "en"] = "zh",
        version: Annotated[int | None, Query(ge=1, le=MAX_VERSION, description="a signed version; default: the present state")] = None,
    ) -> Response:
        """The filled form as HTML or, where the extra `forms` is installed, as PDF or DOCX, by `Accept`."""
        form_format = accepted_format(request.headers.get("accept", ""))
        if form_format is None:
            available = ", ".join(media_type(name) for name in FORMATS if is_available(name))
            raise HttpProblem(
                api_documents.NOT_ACCEPTABLE, f"Accept: must allow one of {available}; for PDF and DOCX install jiesu[forms] on the server"
            )
        with request_errors_as_problems():
            filled = await form_queries.fill_form(case, form, actor, language, version)
        # Reading the Chinese font takes a third of a second, during which the event loop has to serve other requests.
        content = await asyncio.to_thread(render_form, filled, form_format)
        name = quote(f"{filled.title}-{filled.number.replace('/', '-')}.{form_format}")
        # `frame-ancestors` works in a header only, not in the document's own policy.
        policy = f"{form_policy(filled)}; frame-ancestors 'none'"
        headers = {**_HEADERS, "Content-Security-Policy": policy, "Content-Disposition": f"inline; filename*=UTF-8''{name}"}
        return Response(content, media_type=media_type(form_format), headers=headers)

    return routes


def accepted_format(accept: str) -> FormFormat | None:
    """The available format that an `Accept` header prefers, HTML among equals; None if it allows none of them."""
    available = {media_type(form_format): form_format for form_format in FORMATS if is_available(form_format)}
    preferred = preferred_media_type(accept, tuple(available))
    return None if preferred is None else available[preferred]
