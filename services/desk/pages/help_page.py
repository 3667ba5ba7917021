"""The page of keys and words: an example of a page, and what `?` opens."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.desk.pages.dependencies import DeskDependencies
from services.desk.session import Session, signed_in

KEYS = (("j", "help.next"), ("k", "help.previous"), ("o", "help.open"), ("/", "help.search"), ("x", "help.select"), ("?", "help.keys"))


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /help`."""
    routes = APIRouter()

    @routes.get("/help")
    async def help_page(request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The keys of the desk."""
        return dependencies.pages.render(request, "help.html", session, keys=KEYS)

    return routes
