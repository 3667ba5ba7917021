"""The HTTP server refuses over a real socket and serves health beside the service's routes."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack

import httpx
import pytest
import uvloop
from fastapi import APIRouter, Request

from shared.runtime.http.bearer import unauthorized
from shared.runtime.http.body import read_body
from shared.runtime.http.server import LISTENING_COPIES, HttpServer
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

    @router.get("/broken")
    async def broken() -> None:
        raise ValueError("a secret of the fault")

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


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/nowhere", 404, None),
        ("GET", "/docs", 404, None),
        ("GET", "/live/", 404, None),
        ("PUT", "/limited", 405, "POST"),
        ("POST", "/live", 405, "GET"),
    ],
)
async def test_unknown_paths_and_methods_are_answered_as_problem_documents(
    client: httpx.AsyncClient, method: str, path: str, status: int, allow: str | None
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"], answer.headers.get("allow")) == (status, "application/problem+json", allow)
    assert (answer.json()["status"], answer.json()["type"]) == (status, "about:blank")


async def test_fault_of_ours_is_a_problem_document_without_its_text(client: httpx.AsyncClient) -> None:
    answer = await client.get("/broken")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "secret" not in answer.text


async def test_no_answer_lets_a_browser_load_anything(client: httpx.AsyncClient) -> None:
    answer = await client.get("/openapi.json")
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def _accepted_in_a_few_turns(turns: int) -> int:
    """Connections accepted in so many turns of the loop, of twice as many as there are copies of the listening socket."""
    server = HttpServer("probe", RuntimeSettings(environment="test"), Health())
    await server.start()
    assert server._server is not None
    with ExitStack() as clients:
        for _ in range(2 * LISTENING_COPIES):
            # The kernel completes the connection, without the server, whose loop is in this thread.
            clients.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        for _ in range(turns):
            await asyncio.sleep(0)
        accepted = len(server._server.server_state.connections)
    await server.stop()
    return accepted


def test_as_many_connections_as_there_are_listening_sockets_are_accepted_in_a_few_turns_of_the_loop() -> None:
    assert uvloop.run(_accepted_in_a_few_turns(4)) >= LISTENING_COPIES


async def test_stopped_server_leaves_no_copy_of_its_listening_socket() -> None:
    server = HttpServer("probe", RuntimeSettings(environment="test"), Health())
    await server.start()
    await server.stop()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", server.port)
