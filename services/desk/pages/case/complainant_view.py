"""The complainant's own page as shown to staff who may see the case; his code is not shown, since it lets one act as him."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from services.desk.application.service_client import ServiceRefusedError
from services.desk.pages.case.visible_case import case_texts, require_visible
from services.desk.pages.dependencies import DeskDependencies
from services.desk.session import Session, signed_in


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /cases/{case}/complainant`."""
    routes = APIRouter()

    def when(written: str | None) -> str:
        return dependencies.pages.instant(datetime.fromisoformat(written)) if written else ""

    @routes.get("/cases/{case}/complainant", name="case_complainant")
    async def show_view(case: str, request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The complainant's view; 404 where the person may not see the case, and where complainants have no page."""
        row = (await require_visible(dependencies, session, case)).row
        try:
            view = await dependencies.services.get("sla", f"/v1/cases/{quote(case, safe='')}/complainant-view", session.token)
        except ServiceRefusedError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                raise HTTPException(HTTPStatus.NOT_FOUND) from error
            raise
        texts = case_texts(dependencies, request, row["procedure"])
        shown: dict[str, Any] = {"row": row, "view": view, "texts": texts, "when": when}
        return dependencies.pages.render(request, "case/complainant.html", session, **shown)

    return routes
