"""An HTTP gateway for text messages: stores them, repeats the response to a repeated key, and sends signed receipts."""

import asyncio
import contextlib
import hashlib
import hmac
import socket
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Annotated, Self

import httpx
import uvicorn
from fastapi import FastAPI, Header, HTTPException, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from deploy.sinks.message_file import MessageFile

REFUSED_SUFFIX = "0550"
"""Numbers with this suffix get a permanent error."""
FAILED_SUFFIX = "0551"
"""Messages to numbers with this suffix are accepted, and their receipt has the status `failed`."""
_RECEIPT_ATTEMPTS = 5


class SinkMessage(BaseModel):
    """The body of a request to send."""

    to: str = Field(pattern=r"^\+[1-9]\d{6,14}$")
    text: str = Field(min_length=1, max_length=1000)
    reference: str = Field(min_length=1, max_length=100)
    sender: str = Field("", max_length=20)


@dataclass(frozen=True, slots=True)
class ReceiptCallback:
    """The URL for receipts, and the secret that signs them."""

    url: str
    secret: str


class _SinkServer(uvicorn.Server):
    """Uvicorn without signal handlers: the program that runs the sink has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class SmsSink:
    """Listens for the length of a block: `async with SmsSink(folder, token="…") as sink: sink.url`.

    Messages are stored in `message_file` (`sms.jsonl`), keyed by their idempotency key. `queued_responses` are sent instead of
    accepting the next messages. With a `callback`, which may be set later, each accepted message gets a receipt.
    """

    def __init__(
        self, folder: Path, host: str = "127.0.0.1", port: int = 0, *, token: str = "", callback: ReceiptCallback | None = None
    ) -> None:
        self.message_file = MessageFile(folder / "sms.jsonl")
        self.host = host
        self.port = port
        self.callback = callback
        self.queued_responses: deque[Response] = deque()
        self.receipt_statuses: list[int] = []
        """The HTTP status of every receipt that was sent."""
        self._token = token
        self._pending_receipts: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._server: uvicorn.Server | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def url(self) -> str:
        """The address of the gateway for its clients."""
        return f"http://{self.host}:{self.port}"

    async def __aenter__(self) -> Self:
        listener = socket.create_server((self.host, self.port))  # bound here, so that `port` is known before the server starts
        self.port = listener.getsockname()[1]
        self._server = _SinkServer(uvicorn.Config(self._app(), lifespan="off", log_config=None, access_log=False, ws="none"))
        self._tasks = [asyncio.create_task(self._server.serve(sockets=[listener])), asyncio.create_task(self._send_receipts())]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        serving, sending = self._tasks
        sending.cancel()
        if self._server is not None:
            self._server.should_exit = True
        await asyncio.gather(serving, sending, return_exceptions=True)

    def _app(self) -> FastAPI:
        app = FastAPI(title="Jiesu text message sink")

        @app.post("/v1/messages", status_code=202)
        async def accept(
            message: SinkMessage, idempotency_key: Annotated[str, Header(max_length=100)], authorization: Annotated[str, Header()] = ""
        ) -> Response:
            return self._accept(message, idempotency_key, authorization)

        @app.get("/live")
        async def live() -> dict[str, int]:
            return {"kept": len(self.message_file.messages), "repeats": self.message_file.duplicates}

        return app

    def _accept(self, message: SinkMessage, key: str, authorization: str) -> Response:
        # As bytes: compare_digest raises TypeError for a text that is not ASCII.
        if self._token and not hmac.compare_digest(authorization.encode(), f"Bearer {self._token}".encode()):
            raise HTTPException(401, "the bearer token is wrong")
        if self.queued_responses:
            return self.queued_responses.popleft()
        if message.to.endswith(REFUSED_SUFFIX):
            raise HTTPException(422, "the number is not in service")
        if self.message_file.add(key, message.model_dump()):
            self._pending_receipts.put_nowait((message.reference, "failed" if message.to.endswith(FAILED_SUFFIX) else "delivered"))
        elif self.message_file.messages[key] != message.model_dump():
            raise HTTPException(422, "the idempotency key belongs to another message")
        return JSONResponse({"id": f"sink-{hashlib.sha256(key.encode()).hexdigest()[:16]}"}, 202)

    async def _send_receipts(self) -> None:
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            while True:
                reference, status = await self._pending_receipts.get()
                if self.callback is not None:
                    await self._send_receipt(client, self.callback, reference, status)

    async def _send_receipt(self, client: httpx.AsyncClient, callback: ReceiptCallback, reference: str, status: str) -> None:
        body = SinkReceipt(reference=reference, status=status).model_dump_json().encode()
        for attempt in range(_RECEIPT_ATTEMPTS):  # the services may start after the sink
            timestamp = str(int(time.time()))  # noqa: TID251 - the sink imports nothing of the product, so its clock neither
            signature = hmac.new(callback.secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
            try:
                response = await client.post(
                    callback.url, content=body, headers={"jiesu-timestamp": timestamp, "jiesu-signature": signature}
                )
            except httpx.HTTPError:
                await asyncio.sleep(0.1 * 2**attempt)
                continue
            self.receipt_statuses.append(response.status_code)
            return


class SinkReceipt(BaseModel):
    """The body of a delivery receipt; `reference` is that of the request."""

    reference: str
    status: str
    code: str = ""
