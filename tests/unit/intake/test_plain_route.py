"""Plain routes: served without FastAPI's dependencies, described and measured as all others."""

from typing import Any

import httpx
import pytest
from fastapi import Depends, Request
from fastapi.responses import Response

from services.intake.plain_route import add_plain_route
from shared.runtime.http.bearer import BEARER_SCHEME, unauthorized
from shared.runtime.http.openapi import ServiceApi
from shared.runtime.http.problem import add_problem_handlers


async def take(request: Request) -> Response:
    """Take an order."""
    if "authorization" not in request.headers:
        raise unauthorized()
    return Response(request.scope["route"].path, 202)  # the route by which requests are measured


def app(**description: Any) -> ServiceApi:
    api = ServiceApi("orders")
    add_problem_handlers(api)
    add_plain_route(api, "/v1/orders", take, status_code=202, **description)
    return api


@pytest.mark.parametrize(
    ("method", "headers", "status", "text"),
    [
        ("POST", {"Authorization": "Bearer key"}, 202, "/v1/orders"),
        ("POST", {}, 401, "Unauthorized"),
        ("GET", {}, 405, "Method Not Allowed"),
    ],
)
async def test_plain_route_answers_and_refuses_as_any_other(method: str, headers: dict[str, str], status: int, text: str) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app()), base_url="http://orders") as http:
        answer = await http.request(method, "/v1/orders", headers=headers)
    assert answer.status_code == status
    assert text in answer.text
    assert answer.headers.get("allow") == ("POST" if status == 405 else None)


def test_openapi_describes_a_plain_route_with_its_security_schemes() -> None:
    operation = app(dependencies=[Depends(BEARER_SCHEME)]).openapi()["paths"]["/v1/orders"]["post"]
    assert (operation["operationId"], operation["description"]) == ("take", "Take an order.")
    assert operation["security"] == [{"HTTPBearer": []}]


def test_plain_route_with_a_dependency_that_could_refuse_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="does not call dependencies"):
        app(dependencies=[Depends(take)])
