"""Measures open pages of the running desk: how soon an event is on them, and 200 signed-in people beside each other on real Kafka.

`python -m tests.bench.desk.open_pages [--open N] [--ended N]`: figures go to var/bench/desk_live.json.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from statistics import quantiles
from time import perf_counter
from typing import Any

import httpx
import orjson

from cli.stack.stack import Stack
from deploy.embedded.ports import free_ports
from services.desk.config import DeskSettings
from services.desk.sign_in.provider import ProviderTokens
from services.desk.sign_in.sessions import COOKIE, Sessions, SignInLimits
from shared.contracts import topics
from shared.procedures.loading.loader import load_organisation
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from shared.runtime.kafka.topic_admin import apply_topics
from tests.bench.desk.filled_cases import DEPARTMENTS, fill
from tests.bench.desk.lists import LISTS, measure
from tests.bench.measuring.processes import cpu_seconds, peak_megabytes
from tests.support.messaging.cloud_events import case_event
from tests.support.messaging.sample_organisation import registered_event, sample_complaint
from tests.support.messaging.topic_client import TopicClient, open_topic_client
from tests.support.waiting import wait_for

EVENTS = 200
MOST_SECONDS_BETWEEN = 0.3
"""Random: events then arrive anywhere between two polls of the live feed."""
SIGNED_IN = 200
SECONDS = 60.0
PAGE_SECONDS = 10.0
RECONNECT_SECONDS = 3.0
OPENING_SECONDS = 10.0
EVENTS_A_SECOND = 2.0
PEOPLE = [
    {"id": "chief", "name": "总", "roles": ["handler"]},
    *({"id": f"head{number:02}", "roles": ["handler"], "department": name} for number, name in enumerate(DEPARTMENTS)),
    *({"id": f"clerk{n:03}", "roles": ["handler"], "department": DEPARTMENTS[n % 40]} for n in range(SIGNED_IN - len(DEPARTMENTS) - 1)),
]


@dataclass
class OpenPage:
    """The stream of one person's open page: when it first showed one more open case than at the beginning, two more, and so on."""

    browser: httpx.AsyncClient
    cookie: str
    # People see different cases, so that their counters begin at different numbers.
    at_first: int = -1
    new_cases: int = 0
    shown_at: dict[int, float] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    async def follow(self) -> None:
        """Read states until cancelled, as a browser does: a stream that ends is opened again after a while, and is an error here."""
        while True:
            try:
                await self._read_stream()
                self.errors.append("the stream ended")
            except httpx.HTTPError as error:
                self.errors.append(repr(error))
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _read_stream(self) -> None:
        headers = {"Cookie": f"{COOKIE}={self.cookie}"}
        async with self.browser.stream("GET", "/changes", headers=headers) as answer:
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    self._note(orjson.loads(line.removeprefix("data: "))["counts"]["open"])

    def _note(self, shown: int) -> None:
        now = perf_counter()
        if self.at_first < 0:
            self.at_first = shown
        # A state may show several events at once: it is the first to show each of them.
        for number in range(self.new_cases + 1, shown - self.at_first + 1):
            self.shown_at[number] = now
        self.new_cases = max(self.new_cases, shown - self.at_first)

    async def load(self, query: str) -> float:
        """Milliseconds of a page."""
        started = perf_counter()
        try:
            answer = await self.browser.get(f"/?{query}", headers={"Cookie": f"{COOKIE}={self.cookie}", "Accept": "text/html"})
        except httpx.HTTPError as error:
            self.errors.append(repr(error))
        else:
            if answer.status_code != httpx.codes.OK:
                self.errors.append(f"/?{query} {answer.status_code}")
        return (perf_counter() - started) * 1000


@dataclass
class RunningDesk:
    """The desk as a process of its own, and what publishes to it."""

    stack: Stack
    client: TopicClient
    browser: httpx.AsyncClient
    numbers: Iterator[int]

    @property
    def pid(self) -> int:
        return self.stack.processes["desk"].pid

    async def register_complaint(self) -> float:
        """Publish the registration of a complaint of no department yet, which everybody sees; the instant before."""
        number, at = next(self.numbers), datetime.now(UTC)
        complaint = sample_complaint(f"live-{number:06}", at, text="三号楼电梯停运，业主多次反映", title="电梯停运")
        event = registered_event(complaint, "shop", 3).model_copy(update={"sequence": 1})
        started = perf_counter()
        await self.client.publish(case_event(topics.CASE_EVENTS, event, "jiesu/sla"))
        return started


@asynccontextmanager
async def running_desk(settings: DeskSettings) -> AsyncIterator[RunningDesk]:
    """Start the desk on the settings' servers, and stop it."""
    await apply_topics(settings, [topics.COMPLAINT_EVENTS, topics.CASE_EVENTS, topics.NOTIFICATION_EVENTS, topics.HEARTBEATS])
    environment = {
        "JIESU_ENVIRONMENT": "test",
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "JIESU_ORGANISATION": str(settings.organisation),
        "JIESU_LOG_LEVEL": "WARNING",
    }
    stack = Stack(settings.organisation.parent / "desk", environment, {"desk": free_ports(1)[0]})
    stack.start("desk")
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    try:
        async with (
            httpx.AsyncClient(base_url=stack.url("desk"), limits=limits, timeout=30) as browser,
            open_topic_client(settings) as client,
        ):
            await wait_for(partial(is_ready, browser), deadline=60, what="the desk is ready")
            yield RunningDesk(stack, client, browser, count())
    finally:
        sys.stderr.write(stack.processes["desk"].log_tail() + "\n")
        stack.stop()


async def is_ready(browser: httpx.AsyncClient) -> bool:
    """Whether the desk serves and reads its topics."""
    try:
        answer = await browser.get("/ready")
    except httpx.TransportError:
        return False
    return answer.is_success and bool(answer.json()["state"] == "ready")


async def sign_in(settings: DeskSettings, database: Database) -> list[str]:
    """The cookie of a session for each person, as the end of a sign-in stores it."""
    organisation = load_organisation(settings.organisation)
    limits = SignInLimits(timedelta(minutes=settings.desk_idle_minutes), timedelta(hours=settings.desk_session_hours))
    sessions = Sessions(database, organisation, Clock(), limits, None)
    return [await sessions.begin(person, ProviderTokens(f"{person.id}-token", "", "", None)) for person in organisation.people]


async def measure_event_to_page(desk: RunningDesk, cookie: str) -> dict[str, Any]:
    """Milliseconds from before the publication of an event until the counter on an open page includes it."""
    page = OpenPage(desk.browser, cookie)
    chance = random.Random(3)
    async with following([page]):
        times: list[float] = []
        for _ in range(EVENTS):
            expected = page.new_cases + 1
            started = await desk.register_complaint()
            await wait_for(partial(page.shown_at.get, expected), deadline=30, what="the event on the page", pause=0.002)
            times.append((page.shown_at[expected] - started) * 1000)
            await asyncio.sleep(chance.uniform(0, MOST_SECONDS_BETWEEN))
    return {"events": EVENTS, "errors": len(page.errors), **_quantiles(times)}


async def measure_people(desk: RunningDesk, cookies: list[str]) -> dict[str, Any]:
    """Everybody keeps a page open and asks for another list every ten seconds, while complaints arrive."""
    pages = [OpenPage(desk.browser, cookie) for cookie in cookies]
    chance = random.Random(4)
    times: list[float] = []
    published: dict[int, float] = {}
    async with following(pages):
        cpu, cpu_of_bench, started = cpu_seconds(desk.pid), time.process_time(), perf_counter()
        async with asyncio.TaskGroup() as group:
            for page in pages:
                group.create_task(click(page, chance, started + SECONDS, times))
            while perf_counter() - started < SECONDS:
                published[len(published) + 1] = await desk.register_complaint()
                await asyncio.sleep(chance.uniform(0, 2 / EVENTS_A_SECOND))
        await wait_for(lambda: all(len(published) in page.shown_at for page in pages), deadline=30, what="the last event on each page")
        took = perf_counter() - started
        cores = {"desk_cores": (cpu_seconds(desk.pid) - cpu) / took, "bench_cores": (time.process_time() - cpu_of_bench) / took}
    shown = [(page.shown_at[number] - at) * 1000 for page in pages for number, at in published.items() if number in page.shown_at]
    errors = [error for page in pages for error in page.errors]
    return {
        "people": len(pages),
        "seconds": took,
        "requests": len(times),
        "events": len(published),
        "errors": len(errors),
        "first_errors": errors[:5],
        "pages": _quantiles(times),
        "event_to_page": _quantiles(shown),
        **cores,
        "desk_megabytes_at_most": peak_megabytes(desk.pid),
    }


@asynccontextmanager
async def following(pages: list[OpenPage]) -> AsyncIterator[None]:
    """Keep the pages open, once each has its first state."""
    async with asyncio.TaskGroup() as group:
        streams = []
        for page in pages:
            streams.append(group.create_task(page.follow()))
            # People open their pages one after the other, and so do pages after a restart of the desk.
            await asyncio.sleep(OPENING_SECONDS / len(pages))
        await wait_for(lambda: all(page.at_first >= 0 for page in pages), deadline=60, what="the first states")
        yield
        for stream in streams:
            stream.cancel()


async def click(page: OpenPage, chance: random.Random, until: float, times: list[float]) -> None:
    """Ask for a list every ten seconds."""
    await asyncio.sleep(chance.uniform(0, PAGE_SECONDS))
    while (begun := perf_counter()) < until:
        times.append(await page.load(chance.choice(LISTS)))
        await asyncio.sleep(max(0.0, begun + PAGE_SECONDS - perf_counter()))


def _quantiles(milliseconds: list[float]) -> dict[str, float]:
    cuts = quantiles(milliseconds, n=20)
    return {"median_ms": cuts[9], "p95_ms": cuts[18], "longest_ms": max(milliseconds)}


async def run(settings: DeskSettings, open_cases: int, ended_cases: int) -> dict[str, Any]:
    """Both, one after the other."""
    database = Database(settings, "desk")
    await fill(database, open_cases, ended_cases)
    cookies = await sign_in(settings, database)
    await database.close()
    async with running_desk(settings) as desk:
        figures: dict[str, Any] = {"open": open_cases, "ended": ended_cases}
        figures["event_to_page"] = await measure_event_to_page(desk, cookies[0])
        figures["signed_in"] = await measure_people(desk, cookies)
    return figures


if __name__ == "__main__":
    measure("desk_live", run, __doc__, ended=100_000, people=PEOPLE, kafka=True)
