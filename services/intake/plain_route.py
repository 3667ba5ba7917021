"""A route that FastAPI describes in OpenAPI and Starlette serves: intake takes most of its requests by it."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.routing import request_response


class PlainRoute(APIRoute):
    """Calls an endpoint with the request alone: solving dependencies costs 50 µs a request, and here they only describe the route.

    Raises TypeError for a dependency that could refuse a request: it is not called.
    """

    def __init__(self, path: str, endpoint: Callable[[Request], Awaitable[Response]], **description: Any) -> None:
        super().__init__(path, endpoint, **description)
        if any(getattr(each.dependency, "auto_error", True) for each in self.dependencies):
            raise TypeError(f"{path}: a plain route does not call dependencies; authenticate in the endpoint")
        self.app = request_response(endpoint)


def add_plain_route(app: FastAPI, path: str, endpoint: Callable[[Request], Awaitable[Response]], **description: Any) -> None:
    """Serve POST requests of the path by a plain route, the first that is matched: each router before it would cost 6 µs."""
    describe = app.router.generate_unique_id_function
    app.router.routes.insert(0, PlainRoute(path, endpoint, methods=["POST"], generate_unique_id_function=describe, **description))
