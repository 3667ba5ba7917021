"""Addresses of routes are those that the router makes, below the proxy's path."""

import pytest
from fastapi import FastAPI, Request
from starlette.routing import NoMatchFound

from services.desk.pages.page import url_for


@pytest.fixture
def request_at_proxy() -> Request:
    app = FastAPI()
    app.add_api_route("/help", lambda: None, name="help")
    app.add_api_route("/cases/{case}/events/{event}", lambda: None, name="event")
    app.add_api_route("/groups/{group:path}", lambda: None, name="group")
    return Request({"type": "http", "app": app, "root_path": "/desk", "headers": []})


@pytest.mark.parametrize(
    ("route", "parameters"),
    [
        ("help", {}),
        ("event", {"case": "c1", "event": 7}),
        ("event", {"case": "{event}", "event": "{case}"}),
        ("event", {"case": "案件 1", "event": "%2F"}),
        ("group", {"group": "a/b"}),
        ("group", {"group": "a"}),
    ],
)
def test_an_address_is_that_of_the_router(request_at_proxy: Request, route: str, parameters: dict[str, object]) -> None:
    expected = f"/desk{request_at_proxy.app.url_path_for(route, **parameters)}"
    for _ in range(2):
        assert url_for(request_at_proxy, route, **parameters) == expected


def test_a_value_that_its_route_does_not_take_is_refused_also_after_one_that_it_takes(request_at_proxy: Request) -> None:
    url_for(request_at_proxy, "event", case="c1", event=1)
    with pytest.raises(AssertionError):
        url_for(request_at_proxy, "event", case="a/b", event=1)
    with pytest.raises(NoMatchFound):
        url_for(request_at_proxy, "unknown")
