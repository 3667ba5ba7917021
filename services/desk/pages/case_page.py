"""A case as the read model holds it: deadlines, messages, and the events in order."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from services.desk.pages.dependencies import DeskDependencies
from services.desk.session import Session, signed_in
from services.desk.storage.case_reading import load_case


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /cases/{case}`."""
    routes = APIRouter()

    @routes.get("/cases/{case}")
    async def case_page(case: str, request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The case; 404 where it does not exist and where the person may not see it, alike."""
        async with dependencies.database.transaction() as tx:
            reading = None if "\x00" in case else await load_case(tx, case, dependencies.viewer(session))
        if reading is None:
            raise HTTPException(404)
        return dependencies.pages.render(request, "case.html", session, reading=reading, row=reading.row)

    return routes
