"""A case: statements, facts, clocks, timeline and messages, what may be done, and the case as of a past instant."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from services.desk.application.service_client import ServiceRefusedError, ServiceUnavailableError
from services.desk.drawings.case_timeline import draw_case_timeline
from services.desk.drawings.picture import Drawing
from services.desk.pages.case import case_story
from services.desk.pages.case.clock_pictures import drawn_rounds, explained_clocks
from services.desk.pages.case.messages.message_words import SHOWN_AT_ONCE, message_words
from services.desk.pages.case.past_timeline import past_timeline
from services.desk.pages.case.visible_case import case_texts, require_visible
from services.desk.pages.dependencies import DeskDependencies
from services.desk.pages.page import url_for
from services.desk.pages.reference.clocks_page import case_timeline
from services.desk.session import Session, signed_in
from services.desk.storage.case_reading import CaseReading
from services.desk.storage.inbox_queries import load_cases
from shared.contracts.actions import ACTION_DEFINITIONS
from shared.procedures.calendars.zones import organisation_zone
from shared.procedures.explain.procedure_texts import ProcedureTexts


@dataclass(frozen=True, slots=True)
class CaseAnswers:
    """sla's answers about a case for this person; `permissions` are those of now, None for a past instant."""

    case: Mapping[str, Any]
    clocks: list[dict[str, Any]]
    permissions: list[dict[str, Any]] | None = None
    attachments: list[dict[str, Any]] | None = None


class ShownCase:
    """Shows a case, now or as of a past instant."""

    def __init__(self, dependencies: DeskDependencies) -> None:
        self._dependencies = dependencies
        self._zone = organisation_zone(dependencies.organisation)

    async def show(self, request: Request, session: Session, case: str, typed_instant: str, done: str) -> Response:
        """The page; without sla the read model alone, which holds no texts. Raises HTTPException 404."""
        reading = await require_visible(self._dependencies, session, case)
        as_of, invalid = self._past_instant(typed_instant)
        answers, refusal = None, None
        try:
            answers = await (self._past(session, case, as_of) if as_of else self._present(session, case))
        except ServiceUnavailableError:
            pass
        except ServiceRefusedError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                if not reading.row["sequence"]:
                    # Listed since its registration, and not yet opened by sla.
                    return RedirectResponse(url_for(request, "registered_case", case=case), HTTPStatus.SEE_OTHER)
                raise HTTPException(HTTPStatus.NOT_FOUND) from error
            if as_of is None:
                raise
            refusal = error
        values = await self._values(request, session, answers, as_of)
        texts = case_texts(self._dependencies, request, reading.row["procedure"])
        timeline = self._timeline(reading, answers, texts, as_of)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if invalid else refusal.status if refusal else HTTPStatus.OK
        return self._dependencies.pages.render(
            request,
            "case/case.html",
            session,
            status,
            reading=reading,
            row=reading.row,
            texts=texts,
            timeline=timeline,
            done=done if done in ACTION_DEFINITIONS else "",
            typed_instant=typed_instant[:40],
            invalid_instant=invalid,
            refusal=refusal,
            past=as_of,
            **values,
        )

    def _timeline(
        self, reading: CaseReading, answers: CaseAnswers | None, texts: ProcedureTexts | None, as_of: datetime | None
    ) -> Drawing | None:
        if texts is None or (as_of is not None and answers is None):
            return None
        if as_of is not None and answers is not None:
            data = past_timeline(answers.case, answers.clocks, texts, as_of, self._zone)
        else:
            data = case_timeline(reading, texts, self._dependencies.clock.now(), self._zone)
        return draw_case_timeline(data, texts.language, "timeline")

    async def _values(self, request: Request, session: Session, answers: CaseAnswers | None, as_of: datetime | None) -> dict[str, Any]:
        events = answers.case["events"] if answers else []
        linked = case_story.linked_cases(events)
        async with self._dependencies.database.transaction() as tx:
            rows = await load_cases(tx, list(linked), self._dependencies.viewer(session)) if linked else []
        numbers = {row["case_id"]: row["number"] for row in rows}
        now = as_of or self._dependencies.clock.now()
        texts = case_texts(self._dependencies, request, answers.case["procedure"]) if answers else None
        permissions = (answers.permissions if answers else None) or []
        messages = case_story.messages(events)
        newest = [message.event for message in messages[:SHOWN_AT_ONCE]]
        case = answers.case["case"] if answers else ""
        return {
            "words": await message_words(self._dependencies.services, session.token, case, newest),
            "answers": answers,
            "quotes": case_story.quotes(events),
            "facts": case_story.facts(events),
            "messages": messages,
            # A case that the person may not see is not named either.
            "linked": {name: event for name, event in linked.items() if name in numbers},
            "numbers": numbers,
            "clocks": drawn_rounds(answers.clocks, texts, now) if answers and texts else [],
            "permitted": [each for each in permissions if each["permitted"]],
            "forbidden": [each for each in permissions if not each["permitted"]],
            "when": self._when,
        }

    async def _present(self, session: Session, case: str) -> CaseAnswers:
        services, path = self._dependencies.services, f"/v1/cases/{quote(case, safe='')}"
        shown, permissions, clocks, attachments = await asyncio.gather(
            services.get("sla", path, session.token),
            services.get("sla", f"{path}/permitted-actions", session.token),
            explained_clocks(services, session.token, case),
            self._attachments(session, path),
        )
        return CaseAnswers(shown, clocks, permissions["actions"], attachments)

    async def _attachments(self, session: Session, path: str) -> list[dict[str, Any]]:
        try:
            answer = await self._dependencies.services.get("sla", f"{path}/attachments", session.token)
        except ServiceRefusedError as error:
            # An installation without a store of attachments has no such route.
            if error.status == HTTPStatus.NOT_FOUND:
                return []
            raise
        found: list[dict[str, Any]] = answer["attachments"]
        return found

    async def _past(self, session: Session, case: str, as_of: datetime) -> CaseAnswers:
        path = f"/v1/cases/{quote(case, safe='')}"
        shown, attachments = await asyncio.gather(
            self._dependencies.services.get("sla", f"{path}/past", session.token, {"as_of": as_of.isoformat()}),
            self._attachments(session, path),
        )
        known = {(event["event"], datetime.fromisoformat(event["at"])) for event in shown["events"]}
        then = [each for each in attachments if (each["event"], datetime.fromisoformat(each["at"])) in known]
        return CaseAnswers(shown, shown["explained"], attachments=then)

    def _past_instant(self, typed: str) -> tuple[datetime | None, bool]:
        """The instant in the organisation's zone, and whether what was typed is none of the past."""
        if not typed:
            return None, False
        try:
            read = datetime.fromisoformat(typed)
            instant = read if read.tzinfo else read.replace(tzinfo=self._zone)
            is_past = instant <= self._dependencies.clock.now()
        except (ValueError, OverflowError):
            return None, True
        return (instant, False) if is_past else (None, True)

    def _when(self, written: str) -> str:
        return self._dependencies.pages.instant(datetime.fromisoformat(written)) if written else ""


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /cases/{case}`."""
    routes = APIRouter()
    page = ShownCase(dependencies)

    @routes.get("/cases/{case}")
    async def case_page(
        case: str, request: Request, session: Annotated[Session, Depends(signed_in)], as_of: str = "", done: str = ""
    ) -> Response:
        """The case; 404 where it does not exist and where the person may not see it, alike."""
        return await page.show(request, session, case, as_of, done)

    return routes
