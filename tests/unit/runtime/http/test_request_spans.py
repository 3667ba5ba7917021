"""The span of a request has method, route and status; neither path nor query, which hold codes and what was searched for."""

import io
import json
import logging
from collections.abc import AsyncIterator

import httpx
import pytest
import structlog
from fastapi import APIRouter

from shared.runtime.http.server import HttpServer
from shared.runtime.process.health import Health
from shared.runtime.process.logging import configure
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.tracing.context import current_traceparent, trace_id
from shared.runtime.tracing.spans import Tracing
from tests.support.servers.otlp_receiver import OtlpReceiver

TRACE, PARENT = "a" * 32, "b" * 16


@pytest.fixture
async def client(tracing: Tracing) -> AsyncIterator[httpx.AsyncClient]:
    router = APIRouter()

    @router.get("/v1/follow/{code}")
    async def follow(code: str) -> dict[str, str | None]:
        structlog.get_logger("probe").info("followed", length=len(code))
        return {"traceparent": current_traceparent(), "trace": trace_id()}

    @router.get("/broken")
    async def broken() -> None:
        raise ValueError("a secret of the fault")

    server = HttpServer("probe", RuntimeSettings(environment="test"), Health(), tracing)
    server.app.include_router(router)
    await server.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as connected:
        yield connected
    await server.stop()


async def test_request_is_a_span_below_its_caller(client: httpx.AsyncClient, tracing: Tracing, receiver: OtlpReceiver) -> None:
    caller = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
    answer = await client.get("/v1/follow/SECRET-CODE", params={"phone": "13812345678"}, headers=caller)
    await tracing.close(5)
    [span] = receiver.spans
    assert (span.name, span.kind, span.trace, span.parent) == ("GET /v1/follow/{code}", "SERVER", TRACE, PARENT)
    assert span.attributes == {"http.request.method": "GET", "http.route": "/v1/follow/{code}", "http.response.status_code": 200}
    assert answer.json() == {"traceparent": f"00-{TRACE}-{span.id}-01", "trace": TRACE}
    assert not any(secret in body for body in receiver.bodies for secret in (b"SECRET-CODE", b"13812345678", b"127.0.0.1", b"httpx"))


async def test_request_without_a_readable_caller_begins_a_trace(
    client: httpx.AsyncClient, tracing: Tracing, receiver: OtlpReceiver
) -> None:
    for value in ("", "00-not-a-trace-01", "x" * 5000):
        await client.get("/v1/follow/x", headers={"traceparent": value} if value else {})
    await tracing.close(5)
    assert [span.parent for span in receiver.spans] == ["", "", ""]
    assert len({span.trace for span in receiver.spans}) == 3


async def test_request_of_an_unsampled_trace_passes_its_context_on(
    client: httpx.AsyncClient, tracing: Tracing, receiver: OtlpReceiver
) -> None:
    unsampled = f"00-{TRACE}-{PARENT}-00"
    answer = await client.get("/v1/follow/x", headers={"traceparent": unsampled})
    await tracing.close(5)
    assert answer.json() == {"traceparent": unsampled, "trace": TRACE}
    assert receiver.spans == []


@pytest.mark.parametrize(("path", "name", "status", "failed"), [("/13812345678", "GET", 404, False), ("/broken", "GET /broken", 500, True)])
async def test_unknown_path_and_fault_are_spans_without_their_text(
    client: httpx.AsyncClient, tracing: Tracing, receiver: OtlpReceiver, path: str, name: str, status: int, failed: bool
) -> None:
    await client.get(path)
    await tracing.close(5)
    [span] = receiver.spans
    assert (span.name, span.attributes["http.response.status_code"], span.failed) == (name, status, failed)
    assert not any(secret in body for body in receiver.bodies for secret in (b"13812345678", b"a secret"))


async def test_without_tracing_the_context_of_the_caller_is_passed_on() -> None:
    server = HttpServer("probe", RuntimeSettings(environment="test"), Health())
    router = APIRouter()

    @router.get("/context")
    async def context() -> str | None:
        return current_traceparent()

    server.app.include_router(router)
    await server.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
        caller = f"00-{TRACE}-{PARENT}-01"
        assert (await client.get("/context", headers={"traceparent": caller})).json() == caller
        assert (await client.get("/context")).json() is None
    await server.stop()


async def test_probes_are_not_traced(client: httpx.AsyncClient, tracing: Tracing, receiver: OtlpReceiver) -> None:
    for path in ("/live", "/ready", "/startup", "/metrics"):
        await client.get(path)
    await tracing.close(5)
    assert receiver.spans == []


async def test_log_lines_of_a_request_name_its_trace(client: httpx.AsyncClient) -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    before = root.handlers[:], root.level, structlog.get_config()
    configure("INFO", "", stream)
    try:
        answer = await client.get("/v1/follow/x")
    finally:
        root.handlers[:], root.level = before[:2]
        structlog.configure(**before[2])
    [line] = [json.loads(text) for text in stream.getvalue().splitlines() if "followed" in text]
    assert line["trace"] == answer.json()["trace"]
