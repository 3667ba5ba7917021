"""An HTTP gateway on this machine: a subclass checks requests as its product documents, and answers."""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import uvicorn
from starlette.requests import Request
from starlette.responses import Response

from deploy.sinks.message_file import MessageFile

UNKNOWN_SUFFIX = "0550"


class _Server(uvicorn.Server):
    """Uvicorn without signal handlers, which belong to pytest."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class SimulatedGateway:
    """`async with Subclass(folder) as gateway`; `queued` answers come instead of the next ones."""

    def __init__(self, folder: Path) -> None:
        self.message_file = MessageFile(folder / "gateway.jsonl")
        self.queued: deque[Response] = deque()
        self.requests: list[Request] = []
        self.faults: list[str] = []
        """What a request had that the product would have refused."""
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def answer(self, request: Request, body: bytes) -> Response:
        """Check one request and answer it."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self._server = _Server(uvicorn.Config(self._serve, lifespan="off", log_config=None, access_log=False, ws="none", interface="asgi3"))
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        await self._serving

    async def _serve(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - ASGI
        request = Request(scope, receive)
        body = await request.body()
        self.requests.append(request)
        response = self.queued.popleft() if self.queued else await self.answer(request, body)
        await response(scope, receive, send)
