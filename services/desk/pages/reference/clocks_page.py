"""The clocks of a case: each drawn and told in words, and the timeline of the case."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from services.desk.drawings.case_timeline import CaseTimelineData, SpanState, TimelineItem, TimelineSpan, draw_case_timeline
from services.desk.drawings.clock.clock_data import clock_data
from services.desk.drawings.clock.clock_drawing import draw_clock
from services.desk.drawings.clock.why_due import why_due
from services.desk.drawings.words import WORDS
from services.desk.pages.dependencies import DeskDependencies
from services.desk.session import Session, signed_in
from services.desk.storage.case_reading import CaseReading, load_case
from shared.procedures.calendars.zones import organisation_zone
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.model.procedure import LanguageCode

_MOST_SPANS = 15
"""Deadlines in the timeline; more would make a picture that nobody reads, and all of them are drawn below it."""


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
        answers = await _explanations(dependencies, session, case)
        timeline = draw_case_timeline(_timeline(reading, texts, now, zone), language, "timeline")
        return dependencies.pages.render(
            request,
            "reference/clocks.html",
            session,
            row=reading.row,
            timeline=timeline,
            clocks=_drawn_rounds(answers, texts, now, language),
        )

    return routes


async def _explanations(dependencies: DeskDependencies, session: Session, case: str) -> list[dict[str, Any]]:
    path = f"/v1/cases/{quote(case, safe='')}/clocks"
    listed = await dependencies.services.get("sla", path, session.token)
    ids = dict.fromkeys(run["clock"] for run in listed["clocks"])
    explained = (dependencies.services.get("sla", f"{path}/{quote(clock, safe='')}", session.token) for clock in ids)
    return list(await asyncio.gather(*explained))


def _drawn_rounds(
    answers: Iterable[Mapping[str, Any]], texts: ProcedureTexts, now: datetime, language: LanguageCode
) -> list[dict[str, Any]]:
    """A picture for each due instant of each round, in the order of the rounds."""
    titles = {clock.id: texts.title(clock) for clock in texts.procedure.clocks}
    drawn: list[dict[str, Any]] = []
    for answer in answers:
        for run in answer["rounds"]:
            title = titles.get(run["clock"], run["clock"])
            for index, due in enumerate(run["dues"]):
                reminders = [each["at"] for each in run["reminders"] if each["of"] == index]
                data = clock_data(title, due, now, reminders=reminders, ended=run["ended_at"])
                key = f"clock-{len(drawn)}"
                drawn.append({"title": title, "run": run, "why": why_due(due, texts), "drawing": draw_clock(data, language, key)})
    return drawn


def _timeline(reading: CaseReading, texts: ProcedureTexts, now: datetime, zone: tzinfo) -> CaseTimelineData:
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
