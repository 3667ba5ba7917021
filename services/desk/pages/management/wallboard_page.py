"""The screen of the room: large figures that renew themselves, without names or texts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.desk.application.wallboard import Wallboard
from services.desk.pages.dependencies import DeskDependencies
from services.desk.pages.inbox_page import urgency
from services.desk.session import Session, signed_in

COUNTERS = ("open", "late", "today", "escalated", "unassigned")


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /wallboard`."""
    routes = APIRouter()
    board = Wallboard(dependencies.database, dependencies.clock, dependencies.inbox)

    @routes.get("/wallboard", name="wallboard")
    async def show_board(request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The board; its script asks for it again when the read model changes, and shows when it gets no answer."""
        state = await board.state(dependencies.viewer(session), dependencies.feed.version)
        now = dependencies.clock.now()
        shown: dict[str, Any] = {
            "counts": {name: state.counts[name] for name in COUNTERS},
            "rows": state.departments,
            "next_cases": [{**row, "urgency": urgency(row["state"], row["due_at"], now)} for row in state.next_cases],
            "departments": {unit.id: unit for unit in dependencies.organisation.departments},
            "now": now,
        }
        return dependencies.pages.render(request, "management/wallboard.html", session, **shown)

    return routes
