"""The clocks of a case: each drawn and described in words, and the timeline of the case."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from services.desk.drawings.case_timeline import CaseTimelineData, SpanState, TimelineItem, TimelineSpan, draw_case_timeline
from services.desk.drawings.words import WORDS
from services.desk.pages.case.clock_pictures import drawn_rounds, explained_clocks
from services.desk.pages.dependencies import DeskDependencies
from services.desk.session import Session, signed_in
from services.desk.storage.case_reading import CaseReading, load_case
from shared.procedures.calendars.zones import organisation_zone
from shared.procedures.explain.procedure_texts import ProcedureTexts

_MOST_SPANS = 15
"""Deadlines in the timeline; more would make a picture that no one reads, and all of them are drawn below it."""


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /cases/{case}/clocks`."""
    routes = APIRouter()
    zone = organisation_zone(dependencies.organisation)

    @routes.get("/cases/{case}/clocks", name="case_clocks")
    async def show_clocks(case: str, request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The clocks as sla explains them now; 404 where the person may not see the case."""
        async with dependencies.database.transaction() as tx:
            reading = None if "\x00" in case else await load_case(tx, case, dependencies.viewer(session))
        if reading is None:
            raise HTTPException(404)
        procedure = reading.row["procedure"]
        if procedure not in dependencies.regulations.packs:
            raise HTTPException(404)
        language, now = dependencies.pages.reader_language(request), dependencies.clock.now()
        texts = dependencies.regulations.texts(procedure, language)
        answers = await explained_clocks(dependencies.services, session.token, case)
        timeline = draw_case_timeline(case_timeline(reading, texts, now, zone), language, "timeline")
        return dependencies.pages.render(
            request,
            "reference/clocks.html",
            session,
            row=reading.row,
            timeline=timeline,
            clocks=drawn_rounds(answers, texts, now),
        )

    return routes


def case_timeline(reading: CaseReading, texts: ProcedureTexts, now: datetime, zone: tzinfo) -> CaseTimelineData:
    """Events, messages, attachments and the latest deadlines of the case in the read model."""
    titles = {clock.id: texts.title(clock) for clock in texts.procedure.clocks}
    items = [TimelineItem(event["at"].astimezone(zone), "event", texts.event(event["type"])) for event in reading.events]
    items += [TimelineItem(message["at"].astimezone(zone), "message", message["template"]) for message in reading.messages]
    word = WORDS[texts.language]["lane_attachment"]
    items += [TimelineItem(each["at"].astimezone(zone), "attachment", word) for each in reading.attachments]
    runs = sorted((run for run in reading.deadlines if run["started_at"]), key=lambda run: run["started_at"])
    spans = [
        TimelineSpan(run["started_at"].astimezone(zone), _end(run, zone), titles.get(run["clock"], run["clock"]), _state(run))
        for run in runs[-_MOST_SPANS:]
    ]
    return CaseTimelineData(reading.row["number"] or reading.row["case_id"], items, spans, now.astimezone(zone))


def _end(run: Mapping[str, Any], zone: tzinfo) -> datetime | None:
    end: datetime | None = run["ended_at"] or run["due_at"]
    return None if end is None else end.astimezone(zone)


def _state(run: Mapping[str, Any]) -> SpanState:
    if run["breached_at"]:
        return "missed"
    if run["state"] == "paused":
        return "paused"
    return "met" if run["state"] == "stopped" else "running"
