"""Regulations, organisation, deadline calculator and papers in the browser, with sla's calculator behind them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, cast

import httpx
import pytest
from fastapi import FastAPI, Header
from fastapi.responses import Response

from services.desk import bootstrap
from services.desk.application.service_client import ServiceClient
from services.desk.config import DeskSettings
from services.sla.api import SlaApiDependencies
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.calculator.calculation import CalculateDeadlines
from services.sla.calculator.routes import router as calculator_router
from services.sla.domain.deadlines.deadline import TimeLimit
from services.sla.domain.deadlines.explanation import explain_deadline
from services.sla.domain.deadlines.worktime import Worktime, to_micros
from shared.contracts.events.clocks import ClockBreached, ClockStarted
from shared.procedures.access import Actor
from shared.procedures.calendars.calendar import default_calendar
from shared.procedures.loading.loader import load_organisation
from shared.procedures.model.duration import Duration
from shared.runtime.http.problem import add_problem_handlers
from tests.integration.desk.conftest import DEPARTMENTS, PEOPLE, START, DeskProbe, registration
from tests.support.messaging.sample_organisation import SOURCES, write_organisation
from tests.support.messaging.settings import SettingsFactory

ABSENT = [{"from": "2026-10-01T00:00:00+08:00", "to": "2026-10-08T00:00:00+08:00"}]
QUERY = {"procedure": "hunan-property", "start": "2026-09-24T16:40"}
ENGLISH = {"Accept-Language": "en"}


@dataclass
class _SlaDependencies:
    async def authenticate(self, authorization: Annotated[str, Header()]) -> Actor:
        assert authorization == "Bearer li-token"
        return Actor(id="li")


def sla_app(settings: DeskSettings) -> FastAPI:
    """The calculator of sla, and a form as sla prints it."""
    app = FastAPI()
    registry = RulebookRegistry(load_organisation(settings.organisation), procedure_folder=settings.organisation.parent)
    app.include_router(calculator_router(cast("SlaApiDependencies", _SlaDependencies()), CalculateDeadlines(registry)))
    add_problem_handlers(app)

    @app.get("/v1/cases/{case}/forms/{form}")
    async def form(case: str, form: str, language: str, accept: Annotated[str, Header()]) -> Response:
        headers = {"Content-Disposition": "inline; filename*=UTF-8''f.pdf", "Content-Security-Policy": "default-src 'none'", "X-Own": "1"}
        return Response(f"{case} {form} {language}", media_type=accept, headers=headers)

    @app.get("/v1/cases/{case}/evidence")
    async def evidence(case: str) -> Response:
        return Response(f"{case} evidence", media_type="application/zip", headers={"Content-Disposition": "attachment; filename=e.zip"})

    @app.get("/v1/cases/{case}/clocks")
    async def clocks(case: str) -> dict[str, Any]:
        return {"case": case, "clocks": [{"clock": "second_answer"}, {"clock": "second_answer"}]}

    @app.get("/v1/cases/{case}/clocks/{clock}")
    async def explained(case: str, clock: str) -> dict[str, Any]:
        limit = TimeLimit(to_micros(START), Duration.parse("4wh"))
        because = {"clauses": ["3.7"], "starts_on": "registered"}
        due = explain_deadline(Worktime.for_calendar(default_calendar()), limit, because)
        reminders = [{"at": due["segments"][-1]["from"], "of": 0, "sent": True}]
        run = {"clock": clock, "round": 2, "state": "running", "ended_at": None, "reminders": reminders, "dues": [due]}
        return {"case": case, "clock": clock, "rounds": [run]}

    return app


@pytest.fixture
def desk_settings(make_settings: SettingsFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeskSettings:
    people = [{**person, "absent": ABSENT, "substitute": "wang"} if person["id"] == "he" else person for person in PEOPLE]
    sources = [*SOURCES, {"id": "estate", "procedure": "hunan-property"}]
    organisation = write_organisation(tmp_path, people=people, departments=DEPARTMENTS, sources=sources)
    settings = make_settings(DeskSettings, organisation=organisation, desk_path="/desk")
    monkeypatch.setattr(bootstrap, "ServiceClient", partial(ServiceClient, transport=httpx.ASGITransport(sla_app(settings))))
    return settings


async def test_the_calculator_draws_the_clock_and_the_months_and_tells_why(desk: DeskProbe) -> None:
    desk.sign_in("li")
    page = await desk.browser.get("/calculator", params={**QUERY, "duration": "7wd"})
    assert page.status_code == 200
    assert "因此于2026-10-12 18:00到期。" in page.text
    assert page.text.count('<svg xmlns="http://www.w3.org/2000/svg"') == 3
    assert "2026年9月" in page.text
    assert "2026年10月" in page.text
    assert " style=" not in page.text
    english = await desk.browser.get("/calculator", params={**QUERY, "duration": "7wd"}, headers=ENGLISH)
    assert "So it is due at 2026-10-12 18:00." in english.text


async def test_the_calculator_answers_for_a_clock_of_the_regulation(desk: DeskProbe) -> None:
    desk.sign_in("li")
    page = await desk.browser.get(
        "/calculator", params={**QUERY, "procedure": "shop", "clock": "hunan-property:second_answer"}, headers=ENGLISH
    )
    assert page.status_code == 200
    assert "So it is due at" in page.text
    assert 'value="hunan-property:second_answer" selected' in page.text


async def test_a_calculation_that_is_refused_names_the_field_and_keeps_the_form(desk: DeskProbe) -> None:
    desk.sign_in("li")
    page = await desk.browser.get("/calculator", params={**QUERY, "duration": '7 "days"<b>'})
    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert "<b>" not in page.text
    assert 'value="7 &#34;days&#34;&lt;b&gt;"' in page.text


async def test_the_empty_calculator_asks_nothing_of_sla(desk: DeskProbe) -> None:
    desk.sign_in("li")
    page = await desk.browser.get("/calculator", headers=ENGLISH)
    assert page.status_code == 200
    assert "<svg" not in page.text


async def test_a_regulation_shows_clauses_scenarios_and_live_figures_of_visible_cases(desk: DeskProbe) -> None:
    for case, department in (("a", "lifts"), ("b", "lifts"), ("c", "water")):
        await desk.apply([registration(case)])
        await desk.apply(clock_events(case, department))
    async with desk.service.database.transaction() as tx:
        await tx.execute(
            "UPDATE case_row SET procedure = 'hunan-property', received_at = now(), seen_by = '{d:lifts}' WHERE case_id <> 'c'"
        )
        await tx.execute("UPDATE case_row SET procedure = 'hunan-property', received_at = now(), seen_by = '{d:water}' WHERE case_id = 'c'")
    desk.sign_in("wang")
    page = await desk.browser.get("/regulations/hunan-property", headers=ENGLISH)
    assert page.status_code == 200
    assert "<code>call_back_asked_for</code>" in page.text
    counts = [part.partition("<")[0] for part in page.text.split("<dd>")[1:5]]
    assert counts == ["2", "0", "2", "2"]
    assert (await desk.browser.get("/regulations/none")).status_code == 404
    listed = await desk.browser.get("/regulations")
    assert "物业客户投诉受理" in listed.text


def clock_events(case: str, department: str) -> list[ClockStarted | ClockBreached]:
    common = {
        "case": case,
        "at": START,
        "procedure": "shop",
        "version": 3,
        "clock": "second_answer",
        "clause": "3.7",
        "round": 1,
        "due_at": START,
    }
    return [ClockStarted(**common, department=department), ClockBreached(**common, department=department)]


async def test_the_organisation_shows_vacancies_absences_and_who_would_be_reached(desk: DeskProbe) -> None:
    desk.sign_in("li")
    page = await desk.browser.get("/organisation", params={"at": "2026-10-05T09:00", "department": "lifts"}, headers=ENGLISH)
    assert page.status_code == 200
    assert "absent until 2026-10-08 00:00" in page.text
    assert "replaced by 王工" in page.text
    assert "vacant" in page.text
    assert "<td>王工" in page.text
    now = await desk.browser.get("/organisation", params={"at": "yesterday", "department": "none"}, headers=ENGLISH)
    assert now.status_code == 200


async def test_papers_are_passed_on_with_their_own_headers(desk: DeskProbe) -> None:
    await desk.apply([registration("a")])
    desk.sign_in("li")
    listed = await desk.browser.get("/cases/a/papers")
    assert "/desk/cases/a/papers/handling_sheet?format=pdf" in listed.text
    paper = await desk.browser.get("/cases/a/papers/handling_sheet", params={"format": "pdf"})
    assert paper.text == "a handling_sheet zh"
    assert paper.headers["content-type"] == "application/pdf"
    assert paper.headers["content-disposition"].startswith("inline")
    assert "x-own" not in paper.headers
    archive = await desk.browser.get("/cases/a/evidence")
    assert (archive.text, archive.headers["content-type"]) == ("a evidence", "application/zip")
    assert archive.headers["content-disposition"].startswith("attachment")
    assert (await desk.browser.get("/cases/none/papers")).status_code == 404
    assert (await desk.browser.get("/cases/a/papers/x", params={"format": "exe"})).status_code == 422


async def test_the_clocks_of_a_case_are_drawn_and_told_with_its_timeline(desk: DeskProbe) -> None:
    await desk.apply([registration("a"), *clock_events("a", "lifts")])
    async with desk.service.database.transaction() as tx:
        await tx.execute("UPDATE case_row SET procedure = 'hunan-property'")
    desk.sign_in("li")
    page = await desk.browser.get("/cases/a/clocks", headers=ENGLISH)
    assert page.status_code == 200
    assert page.text.count('<svg xmlns="http://www.w3.org/2000/svg"') == 2
    assert "4 working hours, counted from 2026-09-24 16:00 (registration)" in page.text
    assert "round 2" in page.text
    assert "late" in page.text
    assert (await desk.browser.get("/cases/none/clocks")).status_code == 404


@pytest.mark.parametrize(
    "path", ["/cases/a/clocks", "/calculator", "/regulations", "/regulations/hunan-property", "/organisation", "/cases/a/papers"]
)
async def test_pages_need_a_session(desk: DeskProbe, path: str) -> None:
    assert (await desk.browser.get(path)).status_code in (303, 401)
