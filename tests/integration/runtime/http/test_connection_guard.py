"""Limits on connections over real sockets: half-open headers, slow bodies, large headers, too many connections, slow readers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from fastapi import APIRouter, Request, Response
from prometheus_client import REGISTRY

from shared.runtime.http.bearer import unauthorized
from shared.runtime.http.body import read_body
from shared.runtime.http.server import HttpServer
from shared.runtime.process.health import Health
from shared.runtime.process.settings import RuntimeSettings
from tests.support.waiting import wait_for

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
HALF_A_HEADER = b"GET /live HTTP/1.1\r\nHost: a\r\nX-Slow: "
POST = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"
COMPLETE = b"GET /live HTTP/1.1\r\nHost: a\r\n\r\n"
StartServer = Callable[..., Any]


class Application:
    """Routes that the tests call, and what the handlers saw."""

    def __init__(self) -> None:
        self.release, self.entered = asyncio.Event(), asyncio.Event()
        self.router = APIRouter()
        self.router.add_api_route("/echo", self.echo, methods=["POST"])
        self.router.add_api_route("/refuse", self.refuse, methods=["POST"])
        self.router.add_api_route("/wait", self.wait)
        self.router.add_api_route("/large", self.large)

    async def echo(self, request: Request) -> int:
        return len(await read_body(request, 1_000_000))

    async def refuse(self) -> None:
        raise unauthorized("Authorization: send a token")

    async def wait(self) -> str:
        self.entered.set()
        await self.release.wait()
        return "done"

    async def large(self) -> Response:
        return Response(b"x" * 50_000_000)


@pytest.fixture
def application() -> Application:
    return Application()


@pytest.fixture
async def start(application: Application) -> AsyncIterator[StartServer]:
    async with AsyncExitStack() as stack:

        async def start_server(**limits: Any) -> HttpServer:
            limits = {"http_header_seconds": 0.3, "http_body_seconds": 0.3} | limits
            server = HttpServer("probe", RuntimeSettings(environment="test", **limits), Health())
            server.app.include_router(application.router)
            await server.start()
            stack.push_async_callback(server.stop)
            return server

        yield start_server


@asynccontextmanager
async def connections(server: HttpServer, count: int, sent: bytes) -> AsyncIterator[list[Connection]]:
    opened = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(count)]
    for _, writer in opened:
        writer.write(sent)
    yield opened
    for _, writer in opened:
        writer.close()


async def answer_of(connection: Connection) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Status, headers and problem document of what comes until the server closes the connection."""
    content = await asyncio.wait_for(connection[0].read(), 10)
    head, _, body = content.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(status.split()[1]), headers, orjson.loads(body)


def closed(reason: str) -> float:
    return REGISTRY.get_sample_value("jiesu_http_connections_closed_total", {"reason": reason}) or 0.0


@pytest.mark.parametrize("sent", [b"", HALF_A_HEADER])
async def test_half_open_headers_are_closed_and_others_served(start: StartServer, sent: bytes) -> None:
    server, before = await start(), closed("slow_headers")
    async with connections(server, 300, sent) as opened:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
            assert (await client.get("/live")).status_code == 200
        answers = await asyncio.gather(*(answer_of(each) for each in opened))
    assert {(status, headers["connection"], body["title"]) for status, headers, body in answers} == {(408, "close", "Request Timeout")}
    assert closed("slow_headers") - before == 300


async def test_header_byte_now_and_then_does_not_put_the_deadline_off(start: StartServer) -> None:
    async with connections(await start(), 1, HALF_A_HEADER) as [(reader, writer)]:
        answer = asyncio.create_task(answer_of((reader, writer)))
        while not answer.done():
            writer.write(b"x")
            await asyncio.wait({answer}, timeout=0.02)
        status, _, _ = await answer
    assert status == 408


@pytest.mark.parametrize("sent", [POST, POST + b"x" * 200])
async def test_slow_body_is_answered_with_408(start: StartServer, sent: bytes) -> None:
    async with connections(await start(), 20, sent) as opened:
        answers = await asyncio.gather(*(answer_of(each) for each in opened))
    assert {(status, headers["content-type"]) for status, headers, _ in answers} == {(408, "application/problem+json")}


async def test_rest_of_a_refused_body_is_read_for_a_bounded_time(start: StartServer) -> None:
    refused = POST.replace(b"/echo", b"/refuse")
    async with connections(await start(), 1, refused + b"x" * 10) as [connection]:
        status, _, _ = await answer_of(connection)
    assert status == 401


async def test_body_of_any_length_may_take_its_time_while_it_makes_progress(start: StartServer) -> None:
    server = await start(http_body_seconds=0.2)
    head = POST.replace(b"1000", b"60000").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    async with connections(server, 1, head) as [(reader, writer)]:
        for part in range(6):
            writer.write(b"x" * 10_000)
            with pytest.raises(TimeoutError):  # no answer yet: the time passes, the body goes on
                await asyncio.wait_for(reader.readexactly(1), 0.1 if part < 5 else 0.0)
        assert (await asyncio.wait_for(reader.read(), 10)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "headers",
    [
        b"X-A: " + b"a" * 20_000 + b"\r\n",
        b"X-A: " + b"a" * 200_000,
        b"".join(b"X-%d: a\r\n" % number for number in range(150)),
    ],
)
async def test_large_or_many_headers_are_refused_with_431(start: StartServer, headers: bytes) -> None:
    async with connections(await start(), 1, b"GET /live HTTP/1.1\r\nHost: a\r\n" + headers + b"\r\n") as [connection]:
        status, _, body = await answer_of(connection)
    assert (status, body["type"]) == (431, "urn:jiesu:problem:headers_too_large")


async def test_what_is_no_http_is_answered_with_a_problem_document(start: StartServer) -> None:
    async with connections(await start(), 1, b"\x16\x03\x01 nonsense\r\n\r\n") as [connection]:
        status, headers, body = await answer_of(connection)
    assert (status, headers["content-type"], body["status"]) == (400, "application/problem+json", 400)


async def test_waiting_connections_give_way_to_new_ones(start: StartServer) -> None:
    server, before = await start(http_connections=20, http_header_seconds=30), closed("displaced")
    async with connections(server, 30, HALF_A_HEADER), httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
        assert (await client.get("/live")).status_code == 200
    assert closed("displaced") - before >= 10


async def test_connection_beyond_those_that_are_being_answered_gets_503(start: StartServer, application: Application) -> None:
    server = await start(http_connections=1)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
        busy = asyncio.create_task(client.get("/wait"))
        await application.entered.wait()
        async with connections(server, 1, COMPLETE) as [connection]:
            status, headers, body = await answer_of(connection)
        application.release.set()
        assert (await busy).json() == "done"
    assert (status, headers["retry-after"], body["type"]) == (503, "1", "urn:jiesu:problem:unavailable")


async def test_client_that_does_not_read_its_answer_is_closed(start: StartServer) -> None:
    server, before = await start(), closed("slow_reader")
    async with connections(server, 1, COMPLETE.replace(b"/live", b"/large")):

        async def is_closed() -> bool:
            return closed("slow_reader") > before

        await wait_for(is_closed)
    assert closed("slow_reader") - before == 1


async def test_several_requests_on_one_connection_are_answered(start: StartServer) -> None:
    server = await start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
        for _ in range(5):
            assert (await client.post("/echo", content=b"x" * 100_000)).json() == 100_000
    last = COMPLETE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    async with connections(server, 1, COMPLETE * 3 + last) as [(reader, _)]:
        assert (await asyncio.wait_for(reader.read(), 10)).count(b"HTTP/1.1 200") == 4
