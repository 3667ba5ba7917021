"""The OpenAPI document of a service: problems with their headers, bodies with every field, no pages of others."""

import json
import re
from typing import Any

import pytest
from fastapi import APIRouter
from pydantic import BaseModel, Field

from shared.runtime.http.body import header_parameter, request_body
from shared.runtime.http.openapi import ServiceApi, problem_responses
from shared.runtime.http.problem import INVALID, UNAVAILABLE, ProblemType

BUSY = ProblemType("busy", 409, "it is busy")
TAKEN = ProblemType("taken", 409, "it is taken")


class Part(BaseModel):
    """A part of the body."""

    name: str = Field(description="its name")


class Whole(BaseModel):
    """The body."""

    parts: list[Part]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    routes = APIRouter(responses=problem_responses(INVALID, UNAVAILABLE))
    extra = request_body(Whole, {"parts": [{"name": "a"}]}) | {"parameters": [header_parameter("X-Key", "a key", required=True)]}

    @routes.post("/parts", openapi_extra=extra, responses=problem_responses(BUSY, TAKEN))
    async def add_parts(place: str) -> str:
        return place

    app = ServiceApi("Sample")
    app.include_router(routes)

    @app.get("/page/{number}")
    async def get_page(number: int) -> str:
        return str(number)

    return app.openapi()


def test_problems_of_one_status_share_a_response_with_an_example_each(document: dict[str, Any]) -> None:
    responses = document["paths"]["/parts"]["post"]["responses"]
    assert set(responses) == {"200", "409", "422", "503"}
    conflict = responses["409"]["content"]["application/problem+json"]
    assert conflict["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert [example["value"]["type"] for example in conflict["examples"].values()] == ["urn:jiesu:problem:busy", "urn:jiesu:problem:taken"]
    assert responses["503"]["headers"]["Retry-After"]["required"]


def test_problem_schema_replaces_the_one_of_the_framework(document: dict[str, Any]) -> None:
    assert set(document["components"]["schemas"]) == {"Problem", "ProblemError"}


def test_a_route_that_lists_no_problems_answers_an_invalid_request_with_one(document: dict[str, Any]) -> None:
    invalid = document["paths"]["/page/{number}"]["get"]["responses"]["422"]
    assert invalid["content"]["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert document["paths"]["/parts"]["post"]["responses"]["422"]["content"].keys() == {"application/problem+json"}
    references = re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document))
    assert set(references) <= set(document["components"]["schemas"])


def test_body_and_headers_that_a_route_reads_itself_are_described(document: dict[str, Any]) -> None:
    operation = document["paths"]["/parts"]["post"]
    body = operation["requestBody"]["content"]["application/json"]
    assert body["schema"]["properties"]["parts"]["items"]["properties"]["name"]["description"] == "its name"
    assert body["example"] == {"parts": [{"name": "a"}]}
    assert {(each["name"], each["in"], each["required"]) for each in operation["parameters"]} == {
        ("place", "query", True),
        ("X-Key", "header", True),
    }
    assert operation["operationId"] == "add_parts"
