"""Measures the desk with 100,000 open and 1,000,000 ended cases: pages, counters and searches; and the rate of a rebuild.

`python -m tests.bench.desk.lists [--open N] [--ended N]`: figures go to var/bench/desk.json; real time, one request after the other.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import quantiles
from time import perf_counter, process_time
from typing import Any, cast
from urllib.parse import parse_qsl

import httpx
from pydantic import SecretStr

from deploy.embedded import EmbeddedServers
from services.desk.application.confidential_fields import ConfidentialFields
from services.desk.application.inbox import Inbox
from services.desk.application.projecting import TopicEvent
from services.desk.application.rebuilding import RebuildReadModel
from services.desk.bootstrap import build
from services.desk.config import DeskSettings
from services.desk.domain.inbox_filter import parse_filter
from services.desk.domain.viewer import Viewers
from services.desk.session import Session
from shared.contracts import topics
from shared.contracts.events import decode_event, encode_event
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.clocks import ClockStarted, ClockStopped
from shared.contracts.events.from_work_to_closing import Closed, ProgressReported
from shared.contracts.events.triage import Classified, Routed
from shared.contracts.events.up_to_approval import Assigned
from shared.procedures.calendars.zones import organisation_zone
from shared.procedures.loading.loader import load_organisation
from shared.procedures.organisation import Organisation
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from tests.bench.desk.explaining import ExplainedDatabase
from tests.bench.desk.filled_cases import DEPARTMENTS, NOW, fill
from tests.bench.measuring.results import write_figures
from tests.support.messaging.sample_organisation import registered_event, sample_complaint, write_organisation
from tests.support.servers.databases import Databases

PEOPLE = [
    {"id": "chief", "name": "总", "roles": ["handler"]},
    *({"id": f"head{number:02}", "roles": ["handler"], "department": name} for number, name in enumerate(DEPARTMENTS)),
]
REQUESTS = 40
READERS = ("chief", "head00", "head07", "head39")
REBUILT_CASES = 6_000
LISTS = (
    "",
    "due=late",
    "due=today",
    "assigned=me",
    "procedure=p3&class=c1",
    "department=unit07",
    "state=ended",
    "state=all",
    "assigned=nobody",
    "assigned=others",
    "due=none",
    "escalated=yes",
)
SEARCHES = ("query=电梯", "query=三号楼 漏水", "query=refund", "query=渗水 开裂 退款", "query=TS-0012345", "query=电梯&state=all")
MORE_SEARCHES = ("query=东门 噪音&state=ended", "query=warranty invoice&state=all", "query=没有这样的词&state=all")


class FixedSession:
    """Signs in whom the bench names."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self.person = "chief"

    async def read(self, _: Any) -> Session:
        person = self._organisation.person(self.person)
        assert person is not None
        return Session(person, tuple(person.roles), (), "token", "csrf")


async def measure_pages(browser: httpx.AsyncClient, session: FixedSession, queries: Sequence[str]) -> dict[str, Any]:
    """Milliseconds: median and 95th percentile over all and of each query, and the processor time of a request and its client."""
    times: dict[str, list[float]] = {}
    used: dict[str, float] = {}
    chance = random.Random(7)
    for query in queries:
        began = process_time()
        for _ in range(REQUESTS):
            session.person = chance.choice(READERS)
            started = perf_counter()
            answer = await browser.get(f"/?{query}")
            times.setdefault(query, []).append((perf_counter() - started) * 1000)
            assert answer.status_code == 200, answer.text
        used[query] = (process_time() - began) * 1000 / REQUESTS
    every = sorted(each for values in times.values() for each in values)
    of_queries = {
        query: {"median_ms": quantiles(values, n=20)[9], "p95_ms": quantiles(values, n=20)[18], "cpu_ms": used[query]}
        for query, values in times.items()
    }
    for query, value in of_queries.items():
        print(f"{query or 'first page':40} {', '.join(f'{name} {each:.0f}' for name, each in value.items())}", flush=True)  # noqa: T201 - a figure
    return {
        "median_ms": quantiles(every, n=2)[0],
        "p95_ms": quantiles(every, n=20)[18],
        "slowest_query_p95_ms": max(value["p95_ms"] for value in of_queries.values()),
        "queries": of_queries,
    }


async def measure_queries(database: Database, organisation: Organisation, queries: Sequence[str]) -> dict[str, dict[str, float]]:
    """What PostgreSQL itself needs for the first page of each query: milliseconds and blocks, for the reader for whom it takes longest."""
    explained = ExplainedDatabase(database)
    inbox = Inbox(cast("Database", explained), Clock(), organisation_zone(organisation))
    viewers = [Viewers(organisation).viewer(person, NOW) for person in organisation.people if person.id in READERS]
    longest = {}
    for query in queries:
        chosen = parse_filter(dict(parse_qsl(query)))
        longest[query] = max([await explained.measure(partial(inbox.page, chosen, "", viewer)) for viewer in viewers])
    open_cases = inbox.open_cases
    longest["counters of everybody"] = await explained.measure(partial(open_cases.counts, viewers[0], 0), 1)
    longest["choices of everybody"] = await explained.measure(partial(open_cases.choices, viewers[0]), 1)
    return {query: {"milliseconds": milliseconds, "blocks": blocks} for query, (milliseconds, blocks) in longest.items()}


def story(number: int) -> list[CaseEvent]:
    """Ten events of a case."""
    case, at = f"rebuilt-{number:06}", NOW - timedelta(days=9)
    complaint = sample_complaint(case, at, text="三号楼电梯停运，业主多次反映", title="电梯停运")
    common: dict[str, Any] = {"case": case, "at": at, "procedure": "shop", "version": 3}
    events: list[CaseEvent] = [
        registered_event(complaint, "shop", 3),
        Classified(**common, **{"class": "urgent"}),
        Routed(**common, department=DEPARTMENTS[number % 40]),
        ClockStarted(**common, clock="answer", round=1, due_at=NOW, started_at=at),
        ClockStarted(**common, clock="visit", round=1, due_at=NOW, started_at=at),
        Assigned(**common, person="head00"),
        ProgressReported(**common, text="已派工"),
        ClockStopped(**common, clock="visit", round=1),
        ClockStopped(**common, clock="answer", round=1),
        Closed(**common),
    ]
    return [event.model_copy(update={"sequence": sequence}) for sequence, event in enumerate(events, 1)]


class EncodedEvents:
    """Encoded events, decoded as they are read, in batches as from the topic: many cases beside each other."""

    def __init__(self, cases: int) -> None:
        stories = [story(number) for number in range(cases)]
        ordered = [event for step in zip(*stories, strict=True) for event in step]
        self._records = [(event.type, encode_event(event)) for event in ordered]

    async def batches(self) -> AsyncIterator[Sequence[TopicEvent]]:
        records, self._records = self._records, []
        for first in range(0, len(records), 2_000):
            yield [(topics.CASE_EVENTS.name, decode_event(name, body), body) for name, body in records[first : first + 2_000]]


async def measure_rebuild(database: Database, fields: ConfidentialFields, cases: int) -> float:
    """Events a second, building of the indexes and the swap included."""
    source = EncodedEvents(cases)
    started = perf_counter()
    events = await RebuildReadModel(database, fields).run([source])
    return events / (perf_counter() - started)


async def run(settings: DeskSettings, open_cases: int, ended_cases: int) -> dict[str, Any]:
    """All figures."""
    service = build(settings)
    organisation = load_organisation(settings.organisation)
    session = service.app.state.sessions = FixedSession(organisation)
    started = perf_counter()
    await fill(service.database, open_cases, ended_cases)
    print(f"filled in {perf_counter() - started:.0f} s", flush=True)  # noqa: T201 - a figure
    figures: dict[str, Any] = {"open": open_cases, "ended": ended_cases}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(service.app), base_url="http://desk", headers={"Accept": "text/html"}
    ) as browser:
        await measure_pages(browser, session, [""])  # plans and caches
        figures["lists"] = await measure_pages(browser, session, LISTS)
        figures["searches"] = await measure_pages(browser, session, [*SEARCHES, *MORE_SEARCHES])
    figures["postgres"] = await measure_queries(service.database, organisation, [*LISTS, *SEARCHES, *MORE_SEARCHES])
    fields = ConfidentialFields(organisation, settings.organisation.parent)
    figures["rebuilt_events_a_second"] = await measure_rebuild(service.database, fields, REBUILT_CASES)
    await service.processing_database.close()
    await service.database.close()
    return figures


def measure(
    name: str,
    run_bench: Callable[[DeskSettings, int, int], Awaitable[dict[str, Any]]],
    description: str | None,
    *,
    ended: int = 1_000_000,
    people: Sequence[dict[str, Any]] = PEOPLE,
    kafka: bool = False,
) -> None:
    """Run a bench of the desk, with as many open and ended cases as the command line says, on servers of its own."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--open", type=int, default=100_000)
    parser.add_argument("--ended", type=int, default=ended)
    parser.add_argument("--filled", default="", help="URL of a migrated database that an earlier run has filled, in place of a new server")
    chosen = parser.parse_args()
    with ExitStack() as exits:
        folder = exits.enter_context(tempfile.TemporaryDirectory(prefix=f"jiesu-bench-{name}-"))
        started = kafka or not chosen.filled
        servers = exits.enter_context(EmbeddedServers(Path(folder) / "servers", kafka=kafka)) if started else None

        async def main() -> dict[str, Any]:
            url = chosen.filled or await Databases(cast("EmbeddedServers", servers).database_url).create_migrated()
            organisation = write_organisation(Path(folder), people=people, departments=[{"id": unit} for unit in DEPARTMENTS])
            settings = DeskSettings(environment="test", database_url=SecretStr(url), organisation=organisation, command_timeout=600)
            if kafka and servers is not None:
                settings = settings.model_copy(update={"kafka_bootstrap_servers": servers.bootstrap_servers})
            return await run_bench(settings, chosen.open, chosen.ended)

        figures = asyncio.run(main())
    write_figures(name, figures)
    print(figures)  # noqa: T201 - a figure


if __name__ == "__main__":
    measure("desk", run, __doc__)
