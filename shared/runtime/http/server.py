"""The HTTP side of a process: the service's own routes beside /live, /ready and /metrics."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.runtime.process.health import Health
from shared.runtime.process.settings import RuntimeSettings


class _UvicornServer(uvicorn.Server):
    """Uvicorn that leaves signals to the service, which has more to stop than HTTP."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """Serves a FastAPI application until stopped; `port` is the one that was bound."""

    def __init__(self, name: str, settings: RuntimeSettings, health: Health) -> None:
        self.app = FastAPI(title=f"Jiesu {name}", version="1", docs_url="/docs", redoc_url=None)
        self.app.include_router(health_router(health))
        self.port = 0
        self._settings = settings
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Bind and serve; raises OSError when the port is taken."""
        bound = socket.create_server((self._settings.http_host, self._settings.http_port))
        self.port = bound.getsockname()[1]
        config = uvicorn.Config(
            self.app, lifespan="off", log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=5, ws="none"
        )
        self._server = _UvicornServer(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[bound]))
        while not self._server.started:
            if self._task.done():
                await self._task
                raise OSError("the HTTP server ended while starting")
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Take no more requests, finish those under way."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task


def health_router(health: Health) -> APIRouter:
    """Liveness, readiness and metrics."""
    router = APIRouter(tags=["health"])

    @router.get("/live")
    async def live() -> Response:
        """200 while every loop turns; else 503 with the age in seconds of those that do not."""
        stalled = health.stalled()
        return _answer(not stalled, {"stalled": stalled, "ages": health.ages()})

    @router.get("/ready")
    async def ready() -> Response:
        """200 when nothing is wrong; else 503 with what is."""
        troubles = health.troubles()
        return _answer(not troubles, {"troubles": troubles})

    @router.get("/metrics")
    async def metrics(_: Request) -> Response:
        """Prometheus' text format."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


def _answer(good: bool, detail: dict[str, Any]) -> Response:
    return JSONResponse({"status": "ok" if good else "failing", **detail}, 200 if good else 503)
