"""A process that submits complaints by HTTP, from as many connections as it is told, or at a rate: `LoadOrder` in, `LoadReport` out."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

import orjson
import uvloop

from services.intake.domain.submission import case_id
from tests.bench.measuring.submissions import SOURCE
from tests.bench.measuring.tables import quantile
from tests.bench.requests.http_connection import HttpAnswer, HttpConnection, post
from tests.support.messaging.workload import submission

_MOST_CONNECTIONS = 400
_ACCEPTED = 202


@dataclass(frozen=True)
class LoadOrder:
    """Closed loop from `connections` if `rate` is 0, else `rate` requests a second, each due at its instant.

    A request has `batch` complaints.
    """

    port: int
    key: str
    seconds: float
    first: int
    connections: int = 64
    rate: float = 0.0
    batch: int = 1


@dataclass(frozen=True)
class LoadReport:
    """Answers by status, requests with Retry-After, quantiles in ms of all accepted requests, and when each case was accepted."""

    seconds: float
    statuses: dict[str, int]
    retry_after: int
    accepted_a_second: float
    p50_ms: float
    p99_ms: float
    rejected_p99_ms: float
    cpu_seconds: float
    accepted_at: dict[str, float]


class LoadClient:
    """Sends requests and keeps how long each one took, from the instant at which it was due."""

    def __init__(self, order: LoadOrder) -> None:
        self._order = order
        self._numbers = count(order.first)
        self._headers = {"Authorization": f"Bearer {order.key}"}
        self._answers: list[tuple[HttpAnswer, float]] = []
        self._accepted_at: dict[str, float] = {}

    async def run(self) -> LoadReport:
        """Send for the seconds of the order and wait for the last answers."""
        began = time.monotonic()
        await (self._at_rate(began) if self._order.rate else self._closed_loop(began))
        took = time.monotonic() - began
        accepted = [seconds for answer, seconds in self._answers if answer.status == _ACCEPTED]
        rejected = [seconds for answer, seconds in self._answers if answer.status != _ACCEPTED]
        return LoadReport(
            took,
            dict(Counter(str(answer.status) for answer, _ in self._answers)),
            sum(answer.retry_after for answer, _ in self._answers),
            len(accepted) * self._order.batch / took,
            quantile(accepted, 0.5) * 1000,
            quantile(accepted, 0.99) * 1000,
            quantile(rejected, 0.99) * 1000,
            time.process_time(),
            self._accepted_at,
        )

    async def _closed_loop(self, began: float) -> None:
        async def work() -> None:
            connection = HttpConnection(self._order.port)
            while time.monotonic() < began + self._order.seconds:
                await self._send(connection, time.monotonic())
            connection.close()

        await asyncio.gather(*(work() for _ in range(self._order.connections)))

    async def _at_rate(self, began: float) -> None:
        idle = [HttpConnection(self._order.port) for _ in range(_MOST_CONNECTIONS)]
        places = asyncio.Semaphore(_MOST_CONNECTIONS)

        async def send(due_at: float) -> None:
            async with places:
                connection = idle.pop()
                await self._send(connection, due_at)
                idle.append(connection)

        tasks = []
        for number in range(int(self._order.rate * self._order.seconds)):
            due_at = began + number / self._order.rate
            if (wait := due_at - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            tasks.append(asyncio.create_task(send(due_at)))
        await asyncio.gather(*tasks)

    async def _send(self, connection: HttpConnection, due_at: float) -> None:
        bodies = list(self._bodies())
        path, content = ("/v1/complaints", bodies[0]) if self._order.batch == 1 else ("/v1/complaints:batch", {"complaints": bodies})
        answer = await connection.request(post(path, orjson.dumps(content), self._headers))
        self._answers.append((answer, time.monotonic() - due_at))
        if answer.status == _ACCEPTED and self._order.rate:
            self._accepted_at |= {case_id(SOURCE, body["channel"], body["external_id"]): time.time() for body in bodies}

    def _bodies(self) -> Iterator[dict[str, Any]]:
        for _ in range(self._order.batch):
            yield submission(next(self._numbers), datetime.now(UTC))


async def run_load(order: LoadOrder) -> LoadReport:
    """Run a client in a process of its own."""
    command = [sys.executable, "-P", "-m", "tests.bench.requests.load_client"]
    process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate(orjson.dumps(asdict(order)))
    return LoadReport(**orjson.loads(output))


if __name__ == "__main__":
    report = uvloop.run(LoadClient(LoadOrder(**orjson.loads(sys.stdin.buffer.read()))).run())
    sys.stdout.buffer.write(orjson.dumps(asdict(report)))
