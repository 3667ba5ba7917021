"""Attacks running services with hostile records and requests, honest complaints among them, and prints what became of all.

Run with `python -m tests.bench.intake.hostile [--records N] [--requests N] [--seed N]`; figures go to var/bench/hostile.json.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from cli.service_names import SERVICES
from cli.stack.stack import Stack
from deploy.embedded import EmbeddedServers
from tests.bench.measuring.processes import Peaks
from tests.bench.measuring.results import write_figures
from tests.bench.measuring.stacks import started_stack
from tests.support.messaging.hostile_records import READ_TOPICS, SigningKey, hostile_records
from tests.support.messaging.hostile_requests import hostile_requests
from tests.support.messaging.idle import unread_records
from tests.support.messaging.workload import HANDLING_STEPS, WorkloadClient, workload_client
from tests.support.waiting import wait_for

RECORDS = 20_000
REQUESTS = 100_000
HONEST = 200
CONCURRENCY = 20
KNOWN, KNOWN_FIRST = 10, 1_000_000
"""Complaints whose cases the requests name, and the number of the first, beyond those of the honest ones."""
PROCEDURE = "hunan-property"
DEADLINE_SECONDS = 1800.0
"""For reading everything: the machine may be slow, and a stopped partition never ends."""


@dataclass
class Attack:
    """What was sent, and the answers to requests by status; `broken` are connections that a service closed without an answer."""

    stack: Stack
    servers: EmbeddedServers
    senders: WorkloadClient
    seed: int
    answers: Counter[int] = field(default_factory=Counter)
    broken: int = 0
    honest: int = 0
    overload_without_retry_after: int = 0

    async def send_records(self, count: int) -> None:
        """Send that many records to the topics that services read, and honest complaints among them."""
        secret = self.senders.secrets["people"]["luo-dan"]
        key = SigningKey(secret["key_id"], base64.b64decode(secret["private"]))
        per_topic = count // len(READ_TOPICS)
        streams = [hostile_records(topic, per_topic, self.seed, key, PROCEDURE) for topic in READ_TOPICS]
        for number, messages in enumerate(zip(*streams, strict=True)):
            if number % max(1, per_topic // HONEST) == 0 and self.honest < HONEST:
                self.honest += 1
                await self.senders.submit_by_kafka(number)
            await self.senders.topic_client.send_raw([(m.topic, m.key, m.value, m.headers) for m in messages])
        await self.senders.topic_client.flush()

    async def send_requests(self, count: int) -> None:
        """Send that many requests to the services, a bounded number at the same time."""
        urls = {service: self.stack.url(service) for service in SERVICES}
        people = [secret["token"] for secret in self.senders.secrets["people"].values()]
        sources = [secret["api_key"] for secret in self.senders.secrets["sources"].values()]
        tokens = {service: sources if service == "intake" else people for service in SERVICES}
        known = [await self.senders.submit_by_http(number) for number in range(KNOWN_FIRST, KNOWN_FIRST + KNOWN)]
        requests = iter(hostile_requests(urls, tokens, count, self.seed, known))
        await asyncio.gather(*(self._send_each(requests) for _ in range(CONCURRENCY)))

    async def _send_each(self, requests: Any) -> None:
        async with httpx.AsyncClient(timeout=30) as client:
            for request in requests:
                try:
                    response = await client.request(request.method, request.url, content=request.body, headers=request.headers)
                except (httpx.TransportError, httpx.InvalidURL):
                    self.broken += 1
                    continue
                self.answers[response.status_code] += 1
                if response.status_code == httpx.codes.SERVICE_UNAVAILABLE and "retry-after" not in response.headers:
                    self.overload_without_retry_after += 1

    async def unread(self) -> dict[str, int]:
        """Records that services have not read."""
        return await unread_records(self.servers.bootstrap_servers, "")

    async def answer_honest_cases(self) -> int:
        """Answer each honest complaint by HTTP, which is refused for a case that was not decided; gives how many were answered."""
        assert HANDLING_STEPS[0][2] == "answer"
        for case in sorted(self.senders.accepted):
            await self.senders.send_step(case, 0, http=True)
        return self.senders.actions.total()


async def attack(stack: Stack, servers: EmbeddedServers, records: int, requests: int, seed: int) -> dict[str, Any]:
    """Send everything, wait until all is read, answer the honest complaints."""
    async with workload_client(stack) as senders:
        run = Attack(stack, servers, senders, seed)
        with Peaks(stack, servers) as peaks:
            await asyncio.gather(run.send_records(records), run.send_requests(requests))

            async def all_read() -> bool:
                return not any((await run.unread()).values())

            try:
                await wait_for(all_read, DEADLINE_SECONDS, pause=1.0)
            except AssertionError:
                print("a partition stands still; see `unread_records`", file=sys.stderr)  # noqa: T201
            left = await run.unread()
            answered = 0 if any(left.values()) else await run.answer_honest_cases()
    server_errors = {status: number for status, number in run.answers.items() if status >= httpx.codes.INTERNAL_SERVER_ERROR}
    figures = {
        "records": records,
        "requests": requests,
        "seed": seed,
        "unread_records": left,
        "honest_complaints": len(senders.accepted),
        "honest_complaints_answered": answered,
        "answers": {str(status): number for status, number in sorted(run.answers.items())},
        "5xx_without_503": sum(number for status, number in server_errors.items() if status != httpx.codes.SERVICE_UNAVAILABLE),
        "503_without_retry_after": run.overload_without_retry_after,
        "requests_without_an_answer": run.broken,
        "peak_megabytes": peaks.megabytes,
    }
    write_figures("hostile", figures)
    return figures


def main() -> None:
    """Attack and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with started_stack(PROCEDURE, lambda line: print(line, file=sys.stderr)) as (stack, servers):  # noqa: T201
        figures = asyncio.run(attack(stack, servers, options.records, options.requests, options.seed))
    sys.stdout.write(orjson.dumps(figures, option=orjson.OPT_INDENT_2).decode() + "\n")


if __name__ == "__main__":
    main()
