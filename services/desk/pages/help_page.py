"""The page of keys and of the person's own tasks: an example of a page, and what `?` opens."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.desk.pages.dependencies import DeskDependencies
from services.desk.pages.hints import shown_hints
from services.desk.session import Session, signed_in

KEYS = (("j", "help.next"), ("k", "help.previous"), ("o", "help.open"), ("/", "help.search"), ("x", "help.select"), ("?", "help.keys"))


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /help`."""
    routes = APIRouter()

    @routes.get("/help")
    async def help_page(request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The keys of the desk, and the hints, whether or not the person has closed them on the inbox."""
        hints = shown_hints(dependencies, request, session)
        return dependencies.pages.render(request, "help.html", session, keys=KEYS, hints=hints, may_close=False)

    return routes
