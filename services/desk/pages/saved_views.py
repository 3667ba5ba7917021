"""Saved views: keep the filter of the inbox under a name, and delete it again."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from services.desk.domain.inbox_filter import parse_filter
from services.desk.forms import first, read_form
from services.desk.pages.dependencies import DeskDependencies
from services.desk.pages.page import url_for
from services.desk.session import Session, writing
from services.desk.storage import saved_views

_LONGEST_NAME = 60


def router(dependencies: DeskDependencies) -> APIRouter:
    """`POST /views` and `POST /views/delete`."""
    routes = APIRouter()

    @routes.post("/views", name="save_view")
    async def save_view(request: Request, session: Annotated[Session, Depends(writing)]) -> Response:
        """Save the filter and show it; a name that exists is replaced."""
        fields = await read_form(request)
        name = " ".join(first(fields, "name").split())[:_LONGEST_NAME]
        parameters = parse_filter(dict(parse_qsl(first(fields, "query")))).as_parameters()
        if not name:
            return dependencies.pages.render(request, "fault.html", session, 422, key="views.no_name", detail="")
        async with dependencies.database.transaction() as tx:
            saved = await saved_views.save_view(tx, session.person.id, name, parameters)
        if not saved:
            return dependencies.pages.render(request, "fault.html", session, 409, key="views.too_many", detail="")
        return RedirectResponse(f"{url_for(request, 'inbox')}?{urlencode(parameters)}", 303)

    @routes.post("/views/delete", name="delete_view")
    async def delete_view(request: Request, session: Annotated[Session, Depends(writing)]) -> Response:
        """Delete a view of the person's own."""
        async with dependencies.database.transaction() as tx:
            await saved_views.delete_view(tx, session.person.id, first(await read_form(request), "name"))
        return RedirectResponse(url_for(request, "inbox"), 303)

    return routes
