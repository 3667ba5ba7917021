"""`GET /v1/deadlines`: deadlines of durations and clocks of the organisation's procedures, without a case."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from services.sla.api import SlaApiDependencies
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.calculator.calculation import CalculateDeadlines
from services.sla.calculator.routes import router
from shared.procedures.access import Actor
from shared.procedures.organisation import Organisation
from shared.runtime.http.problem import add_problem_handlers

ORGANISATION = Organisation.model_validate({"id": "estate", "sources": [{"id": "hotline", "procedure": "hunan-property"}]})
START = "2026-09-24T16:40:00+08:00"


class _NoAuthentication:
    async def authenticate(self) -> Actor:
        return Actor(id="li")


@cache
def _app() -> FastAPI:
    app = FastAPI()
    registry = RulebookRegistry(ORGANISATION, procedure_folder=Path())
    app.include_router(router(cast("SlaApiDependencies", _NoAuthentication()), CalculateDeadlines(registry)))
    add_problem_handlers(app)
    return app


@pytest.fixture
async def http() -> AsyncIterator[AsyncClient]:
    async with AsyncClient(transport=ASGITransport(_app()), base_url="http://sla") as client:
        yield client


async def get(http: AsyncClient, **parameters: Any) -> dict[str, Any]:
    answer = await http.get("/v1/deadlines", params={"procedure": "hunan-property", "start": START, **parameters})
    assert answer.status_code == 200, answer.text
    return cast("dict[str, Any]", answer.json())


async def test_a_duration_is_counted_by_the_calendar_and_explained(http: AsyncClient) -> None:
    answer = await get(http, duration="7wd")
    assert answer["due"] == "2026-10-12T18:00:00+08:00"
    assert sum(segment["amount"] for segment in answer["explanation"]["segments"]) == 7
    assert answer["explanation"]["calendar"]["id"] == "china"


async def test_counting_pauses_and_extensions_are_taken(http: AsyncClient) -> None:
    assert (await get(http, duration="1wd", counting="inclusive"))["due"] == "2026-09-24T18:00:00+08:00"
    assert (await get(http, duration="3d", roll="none"))["due"] == "2026-09-28T00:00:00+08:00"
    assert (await get(http, duration="2h", extend="by:1h"))["due"] == "2026-09-24T19:40:00+08:00"
    paused = await get(http, duration="2h", pause=["2026-09-24T17:00:00+08:00/2026-09-24T18:00:00+08:00"])
    assert paused["due"] == "2026-09-24T19:40:00+08:00"


async def test_a_clock_of_the_procedure_has_its_steps_reminders_and_clause(http: AsyncClient) -> None:
    answer = await get(http, clock="second_answer")
    assert answer["procedure"] == "hunan-property"
    assert answer["dues"]
    assert all(due["explanation"]["due"] == due["due"] for due in answer["dues"] if due["explanation"])
    assert answer["clause"]


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"duration": "7wd", "clock": "second_answer"}, "clock, duration"),
        ({}, "clock, duration"),
        ({"duration": "7 days"}, "duration"),
        ({"duration": "7wd", "procedure": "../secrets"}, "procedure"),
        ({"clock": "none"}, "clock"),
        ({"duration": "90y"}, "duration"),
        ({"duration": "7wd", "pause": "yesterday"}, "pause"),
        ({"duration": "7wd", "extend": "by:2h"}, "extension"),
        ({"clock": "second_answer", "fact": "level"}, "fact"),
        ({"duration": "7wd", "start": "2026-09-24T16:40:00"}, "start"),
        ({"duration": "7wd", "start": "2126-09-24T16:40:00Z"}, "start"),
        ({"duration": "7wd", "pause": ["x"] * 21}, "pause"),
    ],
)
async def test_a_question_that_has_no_answer_is_refused_with_the_field(http: AsyncClient, parameters: dict[str, Any], field: str) -> None:
    answer = await http.get("/v1/deadlines", params={"procedure": "hunan-property", "start": START, **parameters})
    assert answer.status_code == 422
    assert field in answer.text
