"""One message of a case: its recipients, the words that they read, and the state of each delivery."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from services.desk.application.service_client import ServiceRefusedError
from services.desk.pages.case import case_story
from services.desk.pages.case.messages.message_words import message_words
from services.desk.pages.case.visible_case import case_texts, require_visible
from services.desk.pages.dependencies import DeskDependencies
from services.desk.session import Session, signed_in


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /cases/{case}/messages/{notification}`."""
    routes = APIRouter()

    async def load_events(session: Session, case: str, as_of: str) -> list[dict[str, Any]]:
        path, token = f"/v1/cases/{quote(case, safe='')}", session.token
        try:
            if as_of:
                answer = await dependencies.services.get("sla", f"{path}/past", token, {"as_of": as_of})
            else:
                answer = await dependencies.services.get("sla", path, token)
        except ServiceRefusedError as error:
            raise HTTPException(HTTPStatus.NOT_FOUND) from error
        events: list[dict[str, Any]] = answer["events"]
        return events

    @routes.get("/cases/{case}/messages/{notification}", name="case_message")
    async def show_message(
        case: str, notification: str, request: Request, session: Annotated[Session, Depends(signed_in)], as_of: str = ""
    ) -> Response:
        """The message; 404 where the person may not see the case, or it has no such message by `as_of`."""
        row = (await require_visible(dependencies, session, case)).row
        messages = case_story.messages(await load_events(session, case, as_of[:40]))
        message = next((each for each in messages if each.event.get("notification") == notification), None)
        if message is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        texts = case_texts(dependencies, request, row["procedure"])
        names = {person.id: person.name or person.id for person in dependencies.organisation.people}
        words = await message_words(dependencies.services, session.token, case, [message.event])
        shown: dict[str, Any] = {"row": row, "message": message, "words": words, "texts": texts, "as_of_text": as_of[:40]}
        shown |= {"past": None, "person_name": lambda person: names.get(person, person)}
        return dependencies.pages.render(request, "case/message.html", session, **shown)

    return routes
