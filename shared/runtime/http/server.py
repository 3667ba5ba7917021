"""The HTTP server of a process: the routes of the service, its probes and metrics."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator

import uvicorn

from shared.runtime.errors import Misconfigured
from shared.runtime.http.connection_guard import MAX_HEADER_BYTES, ConnectionLimits, HeaderLimits, guarded_protocol
from shared.runtime.http.default_headers import DefaultHeaders
from shared.runtime.http.openapi import ServiceApi
from shared.runtime.http.probes import probe_router
from shared.runtime.http.problem import add_problem_handlers
from shared.runtime.http.request_metrics import RequestMetrics
from shared.runtime.http.request_spans import RequestSpans
from shared.runtime.process.health import Health
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.process.waiting import sleep_to_tick
from shared.runtime.tracing.spans import Tracing

_DATE_SECONDS = 1.0
"""uvicorn writes its `Date` header this often; between two of these it looked ten times whether it should end."""
LISTENING_COPIES = 16
"""uvloop accepts one connection a turn of the loop from each listening socket: new connections would wait behind those that work."""


class _UvicornServer(uvicorn.Server):
    """uvicorn without signal handlers: on SIGTERM the service stops its consumer first. It waits for its end instead of polling."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._exit = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        """Update the `Date` header each second, until `exit`."""
        # With any multiple of ten, on_tick updates the header.
        while not await self.on_tick(0):
            await sleep_to_tick(self._exit, _DATE_SECONDS)

    def exit(self) -> None:
        """Let `serve` end."""
        self.should_exit = True
        self._exit.set()


class HttpServer:
    """Serves the FastAPI application `app` until stopped; `port` is the bound port."""

    def __init__(self, name: str, settings: RuntimeSettings, health: Health, tracing: Tracing | None = None) -> None:
        self.app = ServiceApi(f"Jiesu {name}")
        add_problem_handlers(self.app)
        self.app.include_router(probe_router(health))
        self.port = 0
        self._tracing = tracing or Tracing(name)
        self._settings = settings
        self._server: _UvicornServer | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Bind and serve; raises `Misconfigured` when the address cannot be bound."""
        # uvicorn does not report the port of a socket that it binds itself.
        listener = _bind(self._settings.http_host, self._settings.http_port)
        self.port = listener.getsockname()[1]
        settings = self._settings
        limits = ConnectionLimits(settings.http_connections, settings.http_header_seconds, settings.http_body_seconds)
        config = uvicorn.Config(
            RequestMetrics(DefaultHeaders(HeaderLimits(RequestSpans(self.app, self._tracing)))),
            http=guarded_protocol(limits),
            h11_max_incomplete_event_size=MAX_HEADER_BYTES,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # nothing here asks for the client's address, so nobody gains by forging it
            timeout_graceful_shutdown=5,
            ws="none",
        )
        self._server = _UvicornServer(config)
        copies = [listener, *(listener.dup() for _ in range(LISTENING_COPIES - 1))]
        self._task = asyncio.create_task(self._server.serve(sockets=copies))
        while not self._server.started:
            if self._task.done():
                await self._task
                raise OSError("the HTTP server ended while starting")
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Accept no more requests and finish those in progress."""
        if self._server is not None and self._task is not None:
            self._server.exit()
            await self._task


def _bind(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Misconfigured(f"JIESU_HTTP_PORT: port {port} is in use; choose another, or stop the process that has it") from error
        raise Misconfigured(
            f"JIESU_HTTP_HOST, JIESU_HTTP_PORT: the address cannot be listened on ({error.strerror}); name one of this machine"
        ) from error
