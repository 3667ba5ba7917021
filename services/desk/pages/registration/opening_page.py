"""Opens a case that was registered just now: until sla has opened it and the desk has read that, a page waits, a minute at most."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from services.desk.pages.dependencies import DeskDependencies
from services.desk.pages.page import url_for
from services.desk.session import Session, signed_in
from services.desk.storage.case_reading import is_opened

_LONGEST_SECONDS: Final = 60
_PAUSE_SECONDS: Final = 2


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /complaints/registered/{case}`."""
    routes = APIRouter()

    @routes.get("/complaints/registered/{case}", name="registered_case")
    async def open_registered_case(
        case: str, request: Request, session: Annotated[Session, Depends(signed_in)], since: str = ""
    ) -> Response:
        """303 to the case; else 200 while it may still come, and 404 afterwards, for a case that the person may not see alike."""
        async with dependencies.database.transaction() as tx:
            is_there = "\x00" not in case and await is_opened(tx, case, dependencies.viewer(session))
        if is_there:
            return RedirectResponse(url_for(request, "case_page", case=case), HTTPStatus.SEE_OTHER)
        now = dependencies.clock.now()
        began = _began(since, now)
        waits = (now - began).total_seconds() < _LONGEST_SECONDS
        shown: dict[str, Any] = {
            "case": case,
            "waits": waits,
            "again": f"{url_for(request, 'registered_case', case=case)}?since={int(began.timestamp())}",
            "pause": _PAUSE_SECONDS,
        }
        status = HTTPStatus.OK if waits else HTTPStatus.NOT_FOUND
        return dependencies.pages.render(request, "registration/opening.html", session, status, **shown)

    return routes


def _began(since: str, now: datetime) -> datetime:
    """When the wait began, in seconds since 1970; now for a text that is no instant of the past."""
    if not (since.isascii() and since.isdecimal() and len(since) <= len(str(int(now.timestamp())))):
        return now
    return min(now, datetime.fromtimestamp(int(since), now.tzinfo))
