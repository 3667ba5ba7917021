"""The deadline calculator: when a duration or a clock of a procedure is due, with the drawn calendar and the reason in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response

from services.desk.application.service_client import ServiceRefusedError
from services.desk.domain.figures.periods import next_period, period_start
from services.desk.drawings.clock.clock_data import clock_data
from services.desk.drawings.clock.clock_drawing import draw_clock
from services.desk.drawings.clock.why_due import why_due
from services.desk.drawings.month_calendar import calendar_days, draw_month
from services.desk.drawings.picture import Drawing
from services.desk.drawings.words import WORDS, minute_text
from services.desk.pages.dependencies import DeskDependencies
from services.desk.pages.reference.calculator_form import CalculatorForm, answered_dues
from services.desk.session import Session, signed_in
from shared.procedures.model.procedure import LanguageCode

_MOST_MONTHS: Final = 6
_ONE_DAY: Final = timedelta(days=1)


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /calculator`."""
    routes = APIRouter()
    regulations = dependencies.regulations

    @routes.get("/calculator", name="calculator")
    async def show_calculator(request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The form; with `procedure` and `start` also the answer. A link to an answer can be passed on."""
        form, language = CalculatorForm.read(request.query_params), dependencies.pages.reader_language(request)
        procedure = form.procedure if form.procedure in regulations.packs else next(iter(sorted(regulations.packs)), "")
        now = dependencies.clock.now()
        values: dict[str, Any] = {"results": [], "months": [], "reminders": [], "fault": ""}
        if form.start and procedure:
            zone = regulations.calendar(procedure).zone
            try:
                answer = await dependencies.services.get(
                    "sla", "/v1/deadlines", session.token, replace(form, procedure=procedure).to_query(zone)
                )
            except ServiceRefusedError as error:
                values["fault"] = error.reason
            else:
                values |= _result_values(dependencies, procedure, answer, now, language)
        names = {name: regulations.texts(name, language) for name in sorted(regulations.packs)}
        choices = {name: texts.title(texts.procedure.title) for name, texts in names.items()}
        clocks = {name: [(clock.id, texts.title(clock)) for clock in texts.procedure.clocks] for name, texts in names.items()}
        status = 422 if values["fault"] else 200
        template = "reference/calculator.html"
        return dependencies.pages.render(
            request, template, session, status, form=form, procedure=procedure, choices=choices, clocks=clocks, **values
        )

    return routes


def _result_values(
    dependencies: DeskDependencies, procedure: str, answer: Mapping[str, Any], now: datetime, language: LanguageCode
) -> dict[str, Any]:
    regulations = dependencies.regulations
    texts = regulations.texts(procedure, language)
    explanations = answered_dues(answer)
    reminders = [each for each in answer.get("reminders", ()) if each["at"]]
    results = []
    for index, explanation in enumerate(explanations):
        reminded = [each["at"] for each in reminders if each["of"] == index]
        name = texts.duration(explanation["duration"])
        data = clock_data(name, explanation, now, reminders=reminded)
        results.append({"name": name, "why": why_due(explanation, texts), "drawing": draw_clock(data, language, f"due-{index}")})
    return {"results": results, "months": _months(dependencies, procedure, explanations, language), "reminders": reminders}


def _months(dependencies: DeskDependencies, procedure: str, explanations: list[Mapping[str, Any]], language: LanguageCode) -> list[Drawing]:
    """The months from the start to the last due instant, at most the first few."""
    calendar, words = dependencies.regulations.calendar(procedure), WORDS[language]
    notes = defaultdict[date, list[str]](list)
    for number, explanation in enumerate(explanations):
        instants = [("start", explanation["start"])] * (number == 0) + [("due", explanation["due"])]
        for kind, text in instants:
            if text is not None:
                day, note = _note(datetime.fromisoformat(text))
                notes[day].append(f"{words[kind]} {note}")
    if not notes:
        return []
    first, last = period_start(min(notes), "month"), max(notes)
    starts = [first]
    while len(starts) < _MOST_MONTHS and (following := next_period(starts[-1], "month")) <= last:
        starts.append(following)
    joined = {day: " · ".join(each) for day, each in notes.items()}
    today = dependencies.clock.now().astimezone(calendar.zone).date()
    return [
        draw_month(calendar_days(calendar, start, next_period(start, "month") - _ONE_DAY), joined, language, f"month-{number}", today=today)
        for number, start in enumerate(starts)
    ]


def _note(at: datetime) -> tuple[date, str]:
    """The day of an instant, and its time: 24:00 belongs to the day that it ends."""
    if at.hour == at.minute == at.second == 0:
        return at.date() - _ONE_DAY, "24:00"
    return at.date(), minute_text(at)[11:]
