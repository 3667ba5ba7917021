"""Measures the desk's figures with 100,000 open and 1,000,000 ended cases: the page, the cases behind a figure, and the wallboard.

`python -m tests.bench.desk.management [--open N] [--ended N]`: figures go to var/bench/management.json; one request after the other.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from statistics import quantiles
from time import perf_counter
from typing import Any

import httpx
import orjson

from services.desk.bootstrap import build
from services.desk.config import DeskSettings
from services.desk.domain.case_row import CaseRow
from services.desk.domain.figures.figure_days import OPENED, OUTCOMES, SHUT, CaseFigure, pack, time_place
from services.desk.domain.viewer import department_key, person_key
from services.desk.storage.filling.projections import ReadModel
from shared.procedures.loading.loader import load_organisation
from shared.runtime.database.database import Database
from tests.bench.desk.filled_cases import DEPARTMENTS, NOW, ROW_COLUMNS
from tests.bench.desk.lists import READERS, FixedSession, measure

CHUNK = 50_000
REQUESTS = 20
DAYS = 1500
CHANNELS = ("hotline", "web", "app", "letter", "visit")
MONTH = (NOW - timedelta(days=40)).date()
PAGES = {
    "month": "/management?unit=month",
    "week": "/management?unit=week",
    "quarter": "/management?unit=quarter",
    "year": "/management?unit=year",
    "month, one class": "/management?unit=month&procedure=p3&only=class:c1",
    "year, before": f"/management?unit=year&period={(NOW - timedelta(days=800)).date()}",
    "list, registered": f"/management/cases?unit=month&period={MONTH}&figure=registered",
    "list, closed in a year": f"/management/cases?unit=year&period={(NOW - timedelta(days=800)).date()}&figure=closed",
    "list, open at the end": f"/management/cases?unit=month&period={MONTH}&figure=open",
    "list, deemed (1 in 500)": f"/management/cases?unit=month&period={MONTH}&figure=deemed",
    "wallboard": "/wallboard",
}


def cases(open_cases: int, ended_cases: int) -> Iterator[CaseRow]:
    """Cases by their receipt; departments differ in size by a factor of forty."""
    chance = random.Random(15)
    total = open_cases + ended_cases
    for number in range(total):
        is_open = number >= ended_cases
        # The open ones were received in the last sixty days, the others evenly in all before.
        age = 60 * (total - number) / open_cases if is_open else 10 + DAYS * (ended_cases - number) / ended_cases
        received = NOW - timedelta(days=age)
        department = DEPARTMENTS[int(len(DEPARTMENTS) * chance.random() ** 2)]
        handler = f"head{DEPARTMENTS.index(department):02}" if chance.random() < 0.6 else ""
        row = CaseRow(f"case-{number:07}", f"TS-{number:07}", f"p{chance.randrange(5)}", 1, kind="complaint", department=department)
        row.class_, row.channel, row.handler, row.received_at = f"c{chance.randrange(4)}", chance.choice(CHANNELS), handler, received
        row.seen_by = [department_key(department), *([person_key(handler)] if handler else [])]
        row.against = ["head03"] if chance.random() < 0.001 else []
        row.figures = [pack(CaseFigure.REGISTERED, received.date()), pack(OPENED, received.date())]
        row.changed_at, row.sequence = received, 9
        if is_open:
            row.due_at = received + timedelta(hours=chance.randrange(24 * 70))
        else:
            end(row, timedelta(days=min(chance.lognormvariate(1.2, 1.2), age)), chance)
        yield row


def end(row: CaseRow, taken: timedelta, chance: random.Random) -> None:
    """Close the case."""
    assert row.received_at is not None
    row.state, row.ended_at = "closed", row.received_at + taken
    day = row.ended_at.date()
    places = [
        CaseFigure.ENDED,
        CaseFigure.CLOSED,
        CaseFigure.LATE if chance.random() < 0.1 else CaseFigure.ON_TIME,
        time_place(taken),
        SHUT,
    ]
    places += [CaseFigure.CALLED_BACK, chance.choice(OUTCOMES)] if chance.random() < 0.5 else []
    places += [
        figure
        for figure, share in ((CaseFigure.URGED, 0.1), (CaseFigure.ESCALATED, 0.05), (CaseFigure.DEEMED, 0.002))
        if chance.random() < share
    ]
    row.figures += [pack(place, day) for place in places]


async def fill(database: Database, open_cases: int, ended_cases: int) -> None:
    """Copy the cases and add their sums; the indexes of the cases are built afterwards, as a rebuild does."""
    model = ReadModel()
    columns = (*ROW_COLUMNS, "figures")
    names = [{"class": "class_"}.get(column, column) for column in columns]
    async with database.transaction() as tx:
        indexes = await tx.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'desk' AND tablename = 'case_row' "
            "AND indexdef LIKE 'CREATE INDEX%'"
        )
        for index in indexes:
            await tx.execute(f"DROP INDEX {index['indexname']}")
    chunk: list[CaseRow] = []
    for row in cases(open_cases, ended_cases):
        chunk.append(row)
        if len(chunk) == CHUNK:
            await copy(database, model, chunk, columns, names)
            chunk = []
    await copy(database, model, chunk, columns, names)
    async with database.transaction() as tx:
        await tx.execute("SELECT set_config('statement_timeout', '0', true), set_config('maintenance_work_mem', '1GB', true)")
        for index in indexes:
            await tx.driver_connection.execute(index["indexdef"], timeout=600)
    async with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as session:
        driver = (await session.get_raw_connection()).driver_connection
        assert driver is not None
        for table in ("case_row", "figure_sum", "figure_audience"):
            await driver.execute(f"VACUUM ANALYZE desk.{table}", timeout=600)


async def copy(database: Database, model: ReadModel, chunk: list[CaseRow], columns: tuple[str, ...], names: list[str]) -> None:
    """Copy some cases and add their sums."""
    records = []
    for row in chunk:
        values = {name: getattr(row, name) for name in names} | {"running": orjson.dumps(row.running).decode()}
        records.append(tuple(values[name] for name in names))
    async with database.transaction() as tx:
        await tx.copy_rows("case_row", columns, records)
        await model.save_sums(tx, {}, chunk)


async def measure_pages(browser: httpx.AsyncClient, session: FixedSession) -> dict[str, dict[str, float]]:
    """Milliseconds of each page: median and 95th percentile."""
    found = {}
    for name, path in PAGES.items():
        times = []
        for number in range(REQUESTS):
            session.person = READERS[number % len(READERS)]
            started = perf_counter()
            answer = await browser.get(path)
            times.append((perf_counter() - started) * 1000)
            assert answer.status_code == 200, answer.text
        found[name] = {"median_ms": quantiles(times, n=2)[0], "p95_ms": quantiles(times, n=20)[18]}
        print(f"{name:30} p95 {found[name]['p95_ms']:6.0f} ms, median {found[name]['median_ms']:6.0f} ms", flush=True)  # noqa: T201 - a figure
    return found


async def run(settings: DeskSettings, open_cases: int, ended_cases: int) -> dict[str, Any]:
    """All figures."""
    service = build(settings)
    session = service.app.state.sessions = FixedSession(load_organisation(settings.organisation))
    started = perf_counter()
    await fill(service.database, open_cases, ended_cases)
    print(f"filled in {perf_counter() - started:.0f} s", flush=True)  # noqa: T201 - a figure
    async with service.database.transaction() as tx:
        sums = await tx.fetchval("SELECT count(*) FROM figure_sum")
        size = await tx.fetchval("SELECT pg_total_relation_size('figure_sum')")
    figures: dict[str, Any] = {"open": open_cases, "ended": ended_cases, "sums": sums, "sums_bytes": size}
    print(figures, flush=True)  # noqa: T201 - a figure
    transport = httpx.ASGITransport(service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk", headers={"Accept": "text/html"}) as browser:
        await browser.get("/management")  # plans and caches
        figures["pages"] = await measure_pages(browser, session)
    await service.processing_database.close()
    await service.database.close()
    return figures


if __name__ == "__main__":
    measure("management", run, __doc__)
