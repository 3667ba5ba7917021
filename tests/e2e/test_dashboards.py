"""Every query of panels and recording rules, asked of a real Prometheus that scraped the demo with two processes of each service."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from cli.service_names import SERVICES
from deploy.embedded import EmbeddedServers
from shared.contracts.topics import department_topic
from tests.support.monitoring.board_queries import ABSENT_TOPIC, DATABASE_AWAY, board_queries, without_data
from tests.support.monitoring.paired_stack import PairedStack, paired_stack
from tests.support.monitoring.prometheus import Prometheus, running_prometheus
from tests.support.monitoring.runbooks import runbook_queries
from tests.support.servers.databases import asyncpg_dsn
from tests.support.servers.topics import Topics
from tests.support.waiting import wait_for

DEPARTMENT = "property_service"
DAYS = 12
PERSON = "desk-lin"
_FORM_TOKEN = re.compile('name="csrf" value="([^"]+)"')


@pytest.mark.timeout(400)
def test_every_query_returns_data_and_rare_ones_do_under_their_fault(
    servers: EmbeddedServers, topics: Topics, tmp_path: Path, topic_prefix: str
) -> None:
    with (
        paired_stack(tmp_path / "stack", servers, topic_prefix) as paired,
        running_prometheus(tmp_path / "prometheus", paired.targets) as prometheus,
    ):
        asyncio.run(_play_with_faults(paired, prometheus, topics))


async def _play_with_faults(paired: PairedStack, prometheus: Prometheus, topics: Topics) -> None:
    database = paired.stack.environment["DATABASE_URL"]
    # An increase needs a sample from before: a first scrape after the month's burst would show none.
    await wait_for(lambda: len(prometheus.query("jiesu_ready == 1")) == 2 * len(SERVICES), deadline=60, what="all scraped", pause=0.5)
    await paired.play(0, DAYS)
    await _read_the_desk(paired.stack.url("desk"))
    await _wait_for_data(prometheus, "")
    _count_processes(prometheus)
    await _ask_as_the_runbooks_say(prometheus, database)

    await topics.drop(f"{paired.prefix}{department_topic(DEPARTMENT).name}")
    await paired.play(DAYS, DAYS + 2)
    await _wait_for_data(prometheus, ABSENT_TOPIC)
    async with _database_away(database):
        await _see_outage(paired, prometheus)
    await _wait_for_data(prometheus, DATABASE_AWAY)


async def _read_the_desk(url: str) -> None:
    """Sign in, and search the inbox: without a reader there are no times of the desk's queries."""
    async with httpx.AsyncClient(base_url=url, follow_redirects=True, timeout=60) as http:
        token = _FORM_TOKEN.search((await http.get("/sign-in")).text)
        assert token is not None
        await http.post("/sign-in", data={"csrf": token[1], "name": PERSON, "password": "demo"})
        found = await http.get("/", params={"q": "电梯"})
        assert (found.status_code, found.url.path) == (httpx.codes.OK, "/"), found.url


async def _ask_as_the_runbooks_say(prometheus: Prometheus, database: str) -> None:
    """Every query of every runbook can be asked; SQL in transactions that write nothing."""
    for _, query in runbook_queries("promql"):
        prometheus.query(query)
    connection = await asyncpg.connect(asyncpg_dsn(database))
    try:
        for page, query in runbook_queries("sql"):
            async with connection.transaction(readonly=True):
                assert await connection.fetch(query) is not None, page
    finally:
        await connection.close()


async def _wait_for_data(prometheus: Prometheus, fault: str) -> None:
    """Wait until every query for that fault has data; without one, those that always have."""
    missing = [query for query in board_queries() if query.empty_unless == fault]
    assert missing

    def all_answered() -> bool:
        missing[:] = without_data(prometheus, missing)
        return not missing

    try:
        await wait_for(all_answered, deadline=60, pause=0.5)
    except AssertionError as error:
        raise AssertionError("\n".join(f"{query.place}: {query.expression}" for query in missing)) from error


def _count_processes(prometheus: Prometheus) -> None:
    """Two processes of each service are scraped, and what the database counts comes from one of them."""
    up = {series["metric"]["job"]: int(series["value"][1]) for series in prometheus.query("sum by (job) (up)")}
    assert up == dict.fromkeys(SERVICES, 2)
    shared = {series["metric"]["job"]: int(series["value"][1]) for series in prometheus.query("count by (job) (jiesu_dead_letters)")}
    assert shared == dict.fromkeys(SERVICES, 1)


@asynccontextmanager
async def _database_away(url: str) -> AsyncIterator[None]:
    """Refuse every connection to one database for the length of a block, and end those that it has; the server serves others on."""
    name = urlsplit(url).path.removeprefix("/")
    connection = await asyncpg.connect(asyncpg_dsn(url), database="postgres")
    try:
        await connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        yield
    finally:
        await connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        await connection.close()


async def _see_outage(paired: PairedStack, prometheus: Prometheus) -> None:
    """The question whether sla is ready is answered with 503, and the alert fires for every service."""
    async with httpx.AsyncClient(timeout=20) as http:

        async def is_refused() -> bool:
            return (await http.get(f"{paired.stack.url('sla')}/ready")).status_code == httpx.codes.SERVICE_UNAVAILABLE

        await wait_for(is_refused, deadline=20, what="503 without the database")
    await wait_for(lambda: _jobs(prometheus, "DatabaseDown") == set(SERVICES), deadline=30, what="DatabaseDown of all", pause=0.5)


def _jobs(prometheus: Prometheus, alert: str) -> set[str]:
    return {labels["job"] for labels in prometheus.firing()[alert]}
