"""Problem documents have one form in every service."""

from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from shared.runtime.errors import Unavailable
from shared.runtime.http.problem import UNAVAILABLE, FieldFault, HttpProblem, ProblemType, add_problem_handlers

TEAPOT = ProblemType("teapot", 418, "this is a teapot")


@pytest.fixture
def counted() -> list[str]:
    return []


@pytest.fixture
async def client(counted: list[str]) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    add_problem_handlers(app, lambda problem: counted.append(problem.type.code))

    @app.get("/problem")
    async def problem() -> None:
        raise HttpProblem(TEAPOT, faults=[FieldFault("pot", "kind", "use a coffee pot")], case="case-1")

    @app.get("/outage")
    async def outage() -> None:
        raise asyncpg.InterfaceError("connection is closed")

    @app.get("/killed-backend")
    async def killed_backend() -> None:
        raise asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress")

    @app.get("/lost-connection")
    async def lost_connection() -> None:
        raise Unavailable("the database connection was lost")

    @app.get("/number/{number}")
    async def number(number: int) -> int:
        return number

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as connected:
        yield connected


async def test_problem_is_answered_with_its_document(client: httpx.AsyncClient) -> None:
    answer = await client.get("/problem")
    assert (answer.status_code, answer.headers["content-type"]) == (418, "application/problem+json")
    assert answer.json() == {
        "type": "urn:jiesu:problem:teapot",
        "title": "this is a teapot",
        "status": 418,
        "detail": "pot: use a coffee pot",
        "errors": [{"field": "pot", "rule": "kind", "remedy": "use a coffee pot"}],
        "case": "case-1",
    }


@pytest.mark.parametrize("path", ["/outage", "/killed-backend", "/lost-connection"])
async def test_outage_is_answered_with_503(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["title"] == UNAVAILABLE.title


async def test_invalid_parameter_is_named_without_its_value(client: httpx.AsyncClient) -> None:
    answer = await client.get("/number/secret")
    assert answer.status_code == 422
    assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [("path.number", "int_parsing")]
    assert "secret" not in answer.text


async def test_every_problem_is_counted_once(client: httpx.AsyncClient, counted: list[str]) -> None:
    for path in ("/problem", "/outage", "/number/secret", "/number/1"):
        await client.get(path)
    assert counted == ["teapot", "unavailable", "invalid"]


def test_problem_without_a_code_is_about_blank() -> None:
    assert ProblemType("", 401, "Unauthorized").uri == "about:blank"
