"""The HTTP server refuses over a real socket and serves health beside the service's routes."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter, Request

from shared.runtime.http.bearer import unauthorized
from shared.runtime.http.body import read_body
from shared.runtime.http.server import HttpServer
from shared.runtime.process.health import Health
from shared.runtime.process.settings import RuntimeSettings


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    router = APIRouter()

    @router.post("/unauthorized")
    async def refuse() -> None:
        raise unauthorized("Authorization: send a token")

    @router.post("/limited")
    async def limited(request: Request) -> int:
        return len(await read_body(request, 1000))

    server = HttpServer("probe", RuntimeSettings(environment="test"), Health())
    server.app.include_router(router)
    await server.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as connected:
        yield connected
    await server.stop()


async def chunks(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * 65_536


async def test_request_without_a_token_is_refused_while_its_body_is_still_sent(client: httpx.AsyncClient) -> None:
    answer = await client.post("/unauthorized", content=chunks(1000))
    assert (answer.status_code, answer.json()["title"]) == (401, "Unauthorized")


async def test_client_that_sends_up_to_4_mebibytes_too_much_sees_why_it_was_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/limited", content=chunks(60))
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert answer.json()["type"] == "urn:jiesu:problem:too_large"


async def test_problems_of_every_service_are_answered_as_problem_documents(client: httpx.AsyncClient) -> None:
    answer = await client.post("/unauthorized")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await client.get("/live")).json()["status"] == "ok"
