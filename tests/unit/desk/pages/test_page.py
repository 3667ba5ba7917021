"""Addresses of the desk's routes: quick for ordinary parameters, and the router's own for every other."""

from typing import Any

import pytest
from fastapi import FastAPI, Request
from starlette.routing import NoMatchFound

from services.desk.pages.page import url_for


def app() -> FastAPI:
    made = FastAPI()

    async def page() -> None:
        """Nothing."""

    made.add_api_route("/cases/{case}/messages/{message}", page, name="message")
    made.add_api_route("/groups/{group:path}", page, name="group")
    made.add_api_route("/inbox", page, name="inbox")
    return made


def request(made: FastAPI) -> Request:
    return Request({"type": "http", "app": made, "root_path": "/desk", "headers": []})


@pytest.mark.parametrize(
    ("route", "parameters"),
    [
        ("inbox", {}),
        ("message", {"case": "c-1", "message": "c-1-4"}),
        ("message", {"message": "c-1-4", "case": "电梯 %2F"}),
        ("group", {"group": "same_place"}),
        ("group", {"group": "same/place"}),
    ],
)
def test_address_is_that_of_the_router_below_the_path_of_the_proxy(route: str, parameters: dict[str, Any]) -> None:
    made = app()
    for _ in range(2):  # computed, then from the cache
        assert url_for(request(made), route, **parameters) == f"/desk{made.url_path_for(route, **parameters)}"


@pytest.mark.parametrize("parameters", [{}, {"case": "c"}, {"case": "c", "message": "m", "more": "x"}])
def test_route_without_its_parameters_has_no_address(parameters: dict[str, Any]) -> None:
    with pytest.raises(NoMatchFound):
        url_for(request(app()), "message", **parameters)


@pytest.mark.parametrize("value", ["", "a/b"])
def test_value_that_is_no_segment_is_refused_as_by_the_router(value: str) -> None:
    with pytest.raises(AssertionError):
        url_for(request(app()), "message", case=value, message="m")
