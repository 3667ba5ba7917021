"""Measures the desk with 100,000 open and 1,000,000 ended cases: pages, counters and searches; and the rate of a rebuild.

`python -m tests.bench.desk [--open N] [--ended N]`: figures go to var/bench/desk.json; real time, one request after the other.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any

import httpx
from pydantic import SecretStr

from deploy.embedded import EmbeddedServers
from services.desk.application.confidential_fields import ConfidentialFields
from services.desk.application.projecting import TopicEvent
from services.desk.application.rebuilding import RebuildReadModel
from services.desk.bootstrap import build
from services.desk.config import DeskSettings
from services.desk.domain.search_grams import grams, normalise, row_grams
from services.desk.domain.viewer import department_key, person_key
from services.desk.session import Session
from shared.contracts import topics
from shared.contracts.events import decode_event, encode_event
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.clocks import ClockStarted, ClockStopped
from shared.contracts.events.from_work_to_closing import Closed, ProgressReported
from shared.contracts.events.triage import Classified, Routed
from shared.contracts.events.up_to_approval import Assigned
from shared.procedures.loading.loader import load_organisation
from shared.procedures.organisation import Organisation
from shared.runtime.database.database import Database
from tests.bench.results import write_figures
from tests.support.messaging.sample_organisation import registered_event, sample_complaint, write_organisation
from tests.support.servers.databases import Databases

NOW = datetime.now(UTC)
WORDS = [
    "电梯",
    "停运",
    "漏水",
    "噪音",
    "停车",
    "物业",
    "态度",
    "收费",
    "门禁",
    "绿化",
    "垃圾",
    "照明",
    "水压",
    "暖气",
    "维修",
    "施工",
    "消防",
    "管道",
    "楼道",
    "车位",
    "保安",
    "投诉",
    "退款",
    "质量",
    "开裂",
    "渗水",
]
PLACES = ["一号楼", "二号楼", "三号楼", "四号楼", "五号楼", "东门", "西门", "南门", "北门", "地下车库", "会所", "泳池", "花园", "大堂"]
LATIN = ["lift", "noise", "water", "refund", "parking", "invoice", "warranty", "delivery", "service"]
DEPARTMENTS = [f"unit{number:02}" for number in range(40)]
PEOPLE = [
    {"id": "chief", "name": "总", "roles": ["handler"]},
    *({"id": f"head{number:02}", "roles": ["handler"], "department": name} for number, name in enumerate(DEPARTMENTS)),
]
CHUNK = 20_000
REQUESTS = 40
REBUILT_CASES = 6_000
ROW_COLUMNS = (
    *("case_id", "number", "procedure", "title", "kind", "class", "subject", "channel", "state", "department", "proposed", "handler"),
    *("due_clock", "lead", "review", "running", "version", "level", "urgings", "sequence", "breached", "escalated", "suspended"),
    *("anonymous", "cooperating", "against", "seen_by", "received_at", "due_at", "changed_at", "ended_at"),
)
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


def rows(first: int, count: int, *, is_open: bool, chance: random.Random) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Rows of case_row and case_search; departments differ in size by a factor of forty."""
    for number in range(first, first + count):
        department = DEPARTMENTS[int(len(DEPARTMENTS) * chance.random() ** 2)]
        received = NOW - timedelta(minutes=chance.randrange(60 * 24 * (60 if is_open else 1500)))
        due = received + timedelta(hours=chance.randrange(24 * 70)) if is_open and chance.random() < 0.95 else None
        handler = f"head{DEPARTMENTS.index(department):02}" if chance.random() < 0.6 else ""
        text = f"{chance.choice(PLACES)}{''.join(chance.sample(WORDS, 6))}，{chance.choice(LATIN)} {chance.choice(LATIN)}"
        case, label = f"case-{number:07}", f"TS-{number:07}"
        keys = [department_key(department), *([person_key(handler)] if handler else [])]
        against = ["head03"] if chance.random() < 0.001 else []
        state = "open" if is_open else "closed"
        texts = (label, f"p{number % 5}", text[:12], "complaint", f"c{number % 4}", "", "hotline", state, department, "", handler)
        flags = (bool(due and due < NOW), chance.random() < 0.02, False, False)
        instants = (received, due, received, None if is_open else received + timedelta(days=9))
        words = normalise(f"{label} {text}")
        row: tuple[Any, ...] = (case, *texts, "answer", "", "", "{}", 1, 0, 0, 9, *flags, [], against, keys, *instants)
        yield row, (case, words, received, row_grams(grams(words), received, keys, is_open=is_open))


async def fill(database: Database, open_cases: int, ended_cases: int) -> None:
    """Copy the cases; the indexes are built afterwards, as a rebuild does."""
    chance = random.Random(15)
    async with database.transaction() as tx:
        indexes = await tx.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'desk' AND tablename IN ('case_row', 'case_search') "
            "AND indexdef LIKE 'CREATE INDEX%'"
        )
        for index in indexes:
            await tx.execute(f"DROP INDEX {index['indexname']}")
    for is_open, total, offset in ((True, open_cases, 0), (False, ended_cases, open_cases)):
        for first in range(0, total, CHUNK):
            made = list(rows(offset + first, min(CHUNK, total - first), is_open=is_open, chance=chance))
            async with database.transaction() as tx:
                await tx.copy_rows("case_row", ROW_COLUMNS, [row for row, _ in made])
                await tx.copy_rows("case_search", ("case_id", "words", "received_at", "grams"), [search for _, search in made])
    async with database.transaction() as tx:
        await tx.execute("SELECT set_config('statement_timeout', '0', true), set_config('maintenance_work_mem', '1GB', true)")
        for index in indexes:
            await tx.driver_connection.execute(index["indexdef"], timeout=600)
    connection = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    async with connection.connect() as session:
        driver = (await session.get_raw_connection()).driver_connection
        assert driver is not None
        await driver.execute("VACUUM ANALYZE desk.case_row", timeout=600)
        await driver.execute("VACUUM ANALYZE desk.case_search", timeout=600)


async def measure_pages(browser: httpx.AsyncClient, session: FixedSession, queries: Sequence[str]) -> dict[str, float]:
    """Milliseconds: median and 95th percentile over all, the slowest 95th percentile of a query, and its name."""
    times: dict[str, list[float]] = {}
    chance = random.Random(7)
    for query in queries:
        for _ in range(REQUESTS):
            session.person = chance.choice(["chief", "head00", "head07", "head39"])
            started = perf_counter()
            answer = await browser.get(f"/?{query}")
            times.setdefault(query, []).append((perf_counter() - started) * 1000)
            assert answer.status_code == 200, answer.text
    every = sorted(each for values in times.values() for each in values)
    worst = {query: quantiles(values, n=20)[18] for query, values in times.items()}
    for query, value in worst.items():
        print(f"{query or 'first page':40} p95 {value:6.0f} ms, median {sorted(times[query])[REQUESTS // 2]:6.0f} ms")  # noqa: T201 - a figure
    return {"median_ms": quantiles(every, n=2)[0], "p95_ms": quantiles(every, n=20)[18], "slowest_query_p95_ms": max(worst.values())}


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
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix=f"jiesu-bench-{name}-") as folder,
        EmbeddedServers(Path(folder) / "servers", kafka=kafka) as servers,
    ):

        async def main() -> dict[str, Any]:
            url = await Databases(servers.database_url).create_migrated()
            organisation = write_organisation(Path(folder), people=people, departments=[{"id": unit} for unit in DEPARTMENTS])
            settings = DeskSettings(environment="test", database_url=SecretStr(url), organisation=organisation, command_timeout=600)
            if kafka:
                settings = settings.model_copy(update={"kafka_bootstrap_servers": servers.bootstrap_servers})
            return await run_bench(settings, chosen.open, chosen.ended)

        figures = asyncio.run(main())
    write_figures(name, figures)
    print(figures)  # noqa: T201 - a figure


if __name__ == "__main__":
    measure("desk", run, __doc__)
