"""Who is refused under overload: sources that submit, and nobody else."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.admission import Admission


def taken(_: Request) -> Response:
    return Response(status_code=202)


def client(*, overloaded: bool) -> httpx.AsyncClient:
    routes = [Route(path, taken, methods=["GET", "POST"]) for path in ("/v1/complaints", "/v1/complaints:batch", "/v1/webhooks/crm")]
    app = Admission(Starlette(routes=routes), lambda: overloaded, lambda request: request.headers["authorization"] == "Bearer source")
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://intake")


@pytest.mark.parametrize(
    ("method", "path", "key", "overloaded", "status"),
    [
        ("POST", "/v1/complaints", "source", True, 429),
        ("POST", "/v1/complaints:batch", "source", True, 429),
        ("POST", "/v1/complaints", "source", False, 202),
        ("POST", "/v1/complaints", "person", True, 202),
        ("POST", "/v1/webhooks/crm", "source", True, 202),
        ("GET", "/v1/complaints", "source", True, 202),
    ],
)
async def test_only_submissions_of_sources_are_refused(method: str, path: str, key: str, overloaded: bool, status: int) -> None:
    async with client(overloaded=overloaded) as http:
        answer = await http.request(method, path, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == status
    assert ("retry-after" in answer.headers) == (status == 429)
