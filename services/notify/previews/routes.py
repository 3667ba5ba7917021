"""`POST /v1/messages/previews`, for people of the organisation: the words of the messages that their cases requested."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from services.notify.previews.rendering import PreviewMessages
from shared.contracts.base import StrictModel
from shared.contracts.events.notifications import NotificationRequested
from shared.runtime.http.bearer import BEARER_SCHEME, UNAUTHORIZED, unauthorized
from shared.runtime.http.body import read_model, request_body
from shared.runtime.http.identity.people import PersonAuthentication
from shared.runtime.http.openapi import ANY_OPERATION, problem_responses
from shared.runtime.http.problem import BODY_TOO_LARGE, TOO_MANY_REQUESTS
from shared.runtime.http.rate_limit import RateLimit

MAX_MESSAGES = 50
_MAX_BODY = 1_000_000
_PER_SECOND = 20.0
_EXAMPLE: dict[str, Any] = {
    "messages": [
        {
            "case": "018f0000-0000-7000-8000-000000000001",
            "at": "2026-09-24T17:05:00+08:00",
            "notification": "018f0000-0000-7000-8000-000000000001-4",
            "persons": ["he-jing"],
            "by": ["sms"],
            "about": "reminded",
            "values": {"number": "TS-2026-00001"},
        }
    ]
}


class PreviewRequest(StrictModel):
    """Events `notification_requested` as sla shows them to you: what is hidden from you is not in them."""

    messages: list[NotificationRequested] = Field(min_length=1, max_length=MAX_MESSAGES)


class MessageWords(BaseModel):
    """Subject and text as recipients get them; `subject` and `text` are empty where no template can be rendered."""

    channel: str = Field(examples=["sms"])
    language: str = Field(examples=["zh"])
    recipients: list[str]
    subject: str
    text: str


class MessagePreviews(BaseModel):
    """The words of one request; none for one that is part of another message."""

    notification: str
    words: list[MessageWords]


class PreviewsAnswer(BaseModel):
    """The previews in the order of the request. Codes of complainants and phone numbers of people are masked."""

    messages: list[MessagePreviews]


_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"model": PreviewsAnswer},
    **problem_responses(*ANY_OPERATION, UNAUTHORIZED, TOO_MANY_REQUESTS, BODY_TOO_LARGE),
}


def router(people: PersonAuthentication, previews: PreviewMessages) -> APIRouter:
    """The route; it reads no table, so that it can show nothing but what the person sends."""
    routes = APIRouter(prefix="/v1/messages", tags=["messages"], dependencies=[Depends(BEARER_SCHEME)])
    limit = RateLimit()

    @routes.post("/previews", summary="The words of messages", openapi_extra=request_body(PreviewRequest, _EXAMPLE), responses=_RESPONSES)
    async def preview_messages(request: Request) -> JSONResponse:
        """The rendered messages, by channel and language, from the templates of now; nothing is sent or stored."""
        person = await people.person(request)
        if person is None:
            raise unauthorized("Authorization: send Bearer and the token of a person of the organisation")
        limit.check(person.id, _PER_SECOND)
        limit.consume(person.id, _PER_SECOND)
        body = await read_model(request, PreviewRequest, _MAX_BODY)
        return JSONResponse({"messages": [_previews(each, previews) for each in body.messages]}, headers={"Cache-Control": "no-store"})

    return routes


def _previews(requested: NotificationRequested, previews: PreviewMessages) -> dict[str, Any]:
    words = [
        {
            "channel": each.channel,
            "language": each.language,
            "recipients": list(each.recipients),
            "subject": each.words.subject,
            "text": each.words.text,
        }
        for each in previews.render(requested)
    ]
    return {"notification": requested.notification, "words": words}
