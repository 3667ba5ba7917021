"""Requests are measured by route template and class of status; the exposition has exemplars for who accepts OpenMetrics."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY
from starlette.types import Message

from shared.runtime.http.request_metrics import RequestMetrics, exposition_for

SERIES = "jiesu_http_request_duration_seconds_count"
SAMPLED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NOT_SAMPLED = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


class _FaultError(Exception):
    pass


def application() -> FastAPI:
    app = FastAPI()

    @app.get("/v1/cases/{case}")
    async def case(case: str) -> str:
        if case == "faulty":
            raise _FaultError
        return case

    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(RequestMetrics(application()), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client


def counted(route: str, method: str, status: str) -> float:
    return REGISTRY.get_sample_value(SERIES, {"route": route, "method": method, "status": status}) or 0.0


@pytest.mark.parametrize(
    ("method", "path", "labels"),
    [
        ("GET", "/v1/cases/TS-2026-000001", ("/v1/cases/{case}", "GET", "2xx")),
        ("GET", "/v1/cases/faulty", ("/v1/cases/{case}", "GET", "5xx")),
        ("POST", "/v1/cases/TS-2026-000001", ("/v1/cases/{case}", "POST", "4xx")),
        ("GET", "/wp-login.php", ("other", "GET", "4xx")),
        ("PROPFIND", "/wp-login.php", ("other", "other", "4xx")),
    ],
)
async def test_request_is_counted_by_route_template(
    client: httpx.AsyncClient, method: str, path: str, labels: tuple[str, str, str]
) -> None:
    before = counted(*labels)
    await client.request(method, path)
    assert counted(*labels) == before + 1
    assert REGISTRY.get_sample_value("jiesu_http_requests_running") == 0
    assert path.encode() not in exposition_for("")[0]


async def test_client_that_leaves_before_the_answer_is_counted_as_aborted() -> None:
    async def silent(scope: Any, receive: Any, send: Any) -> None:
        pass

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(_: Message) -> None:
        pass

    before = counted("other", "GET", "aborted")
    await RequestMetrics(silent)({"type": "http", "method": "GET", "headers": []}, receive, send)
    assert counted("other", "GET", "aborted") == before + 1


async def test_exemplar_names_the_trace_of_a_sampled_request(client: httpx.AsyncClient) -> None:
    for traceparent in (SAMPLED, NOT_SAMPLED):
        await client.get("/v1/cases/1", headers={"traceparent": traceparent})
    text, media_type = exposition_for("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5")
    assert media_type.startswith("application/openmetrics-text; version=1.0.0")
    assert b'# {trace_id="4bf92f3577b34da6a3ce929d0e0e4736"}' in text
    assert b"1af7651916cd43dd8448eb211c80319c" not in text
    assert text.endswith(b"# EOF\n")


async def test_scraper_that_accepts_text_alone_gets_text(client: httpx.AsyncClient) -> None:
    await client.get("/v1/cases/1", headers={"traceparent": SAMPLED})
    text, media_type = exposition_for("text/plain;version=0.0.4")
    assert media_type.startswith("text/plain")
    assert b"trace_id" not in text
    assert b"_created" not in text
