"""Escalations that no one has acknowledged: why each case was escalated, to whom, and one form that acknowledges."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.desk.domain.inbox_filter import parse_filter
from services.desk.pages.case_beginnings import with_beginnings
from services.desk.pages.dependencies import DeskDependencies
from services.desk.session import Session, signed_in
from services.desk.storage.escalations import load_last_escalations
from shared.runtime.clock import uuid7

_MAX_CURSOR = 1000


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /escalations`; its form goes to `bulk_action`, which names the outcome for each case."""
    routes = APIRouter()

    @routes.get("/escalations", name="escalations")
    async def list_escalations(request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The escalated open cases that the person sees, next due first."""
        viewer = dependencies.viewer(session)
        chosen = parse_filter({"escalated": "yes"})
        page = await dependencies.inbox.page(chosen, request.query_params.get("cursor", "")[:_MAX_CURSOR], viewer)
        async with dependencies.database.transaction() as tx:
            last = await load_last_escalations(tx, [row["case_id"] for row in page.rows], viewer)
        rows = await with_beginnings(dependencies, page.rows)
        shown: dict[str, Any] = {"page": page, "rows": rows, "last": last, "regulations": dependencies.regulations, "form_id": uuid7()}
        return dependencies.pages.render(request, "deciding/escalations.html", session, **shown)

    return routes
