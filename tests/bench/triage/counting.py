"""Measures the cost of an event with 10,000 and 1,000,000 remembered occurrences, and a long run by two processes, one killed.

`python -m tests.bench.triage.counting [--events N] [--run-only]`: figures go to var/bench/counting.json.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.application.triage import TriageComplaints
from services.triage.config import TriageSettings
from services.triage.storage import group_counters
from services.triage.storage.tables import metadata
from shared.contracts import topics
from shared.contracts.topics import COMPLAINT_EVENTS
from shared.procedures.organisation import Organisation
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from shared.runtime.database.migrate import migrate
from shared.runtime.kafka.topic_admin import apply_topics
from tests.bench.measuring.results import write_figures
from tests.support.messaging.cloud_events import received_record
from tests.support.messaging.sample_organisation import write_yaml
from tests.support.messaging.settings import SettingsFactory
from tests.support.messaging.topic_client import open_topic_client
from tests.support.scenarios.counting_procedures import CountedSubmission, procedure
from tests.support.scenarios.counting_run import CountingRun, random_submissions
from tests.support.servers.databases import Databases
from tests.support.servers.session_servers import start_on_free_root
from tests.support.servers.topics import fresh_prefix

EVENTS = 200_000
REMEMBERED = (10_000, 1_000_000)
TIMED = 200
WINDOWED = ("cases", "burst", "hasty")
MINUTES_APART = 10
# The history ends a day before the first timed event, so that the cases near that one are real.
_FILL = """
INSERT INTO mark (procedure, count, key, case_id, received_at, person, group_id)
SELECT 'one', count, 'p', 'old-' || number, $2::timestamptz - number * make_interval(mins => $3),
       CASE WHEN count = 'cases' THEN '' ELSE 'phone:' || number % 1000 END, ''
  FROM generate_series(1, $1::int) AS number, unnest($4::text[]) AS count
"""


async def measure_cost(database: Database, registry: ProcedureRegistry, remembered: int) -> dict[str, Any]:
    """The time of one more event in a transaction of its own, with so many occurrences under its key, and the indexes that it uses."""
    async with database.transaction() as tx:
        # All tables of the schema: a new one joins by itself.
        await tx.execute(f"TRUNCATE {', '.join(table.name for table in metadata().sorted_tables)}")
    started = datetime(2026, 9, 24, 8, 0, tzinfo=UTC)
    per_counter = remembered // len(WINDOWED)
    for first in range(0, per_counter, 50_000):
        async with database.transaction() as tx:
            part = min(50_000, per_counter - first)
            end = started - timedelta(days=1, minutes=MINUTES_APART * first)
            await tx.execute(_FILL.replace("'old-' || number", f"'old-' || number + {first}"), part, end, MINUTES_APART, list(WINDOWED))
    async with database.transaction() as tx:
        await tx.execute("ANALYZE mark")
    triage = TriageComplaints(registry, Clock())
    times = []
    for number in range(TIMED + 20):
        submission = CountedSubmission("one", "p", MINUTES_APART * number, (f"phone:{number % 1000}",))
        begun = time.perf_counter()
        async with database.transaction() as tx:
            await triage.decide_batch(tx, [received_record(COMPLAINT_EVENTS, submission.registered(), "intake")])
        times.append((time.perf_counter() - begun) * 1000)
    return {"remembered": remembered, "median_ms": round(median(times[20:]), 2), "indexes": await used_indexes(database, started)}


async def used_indexes(database: Database, at: datetime) -> list[str]:
    """The indexes by which PostgreSQL finds the neighbours of a case, and the cases of a person."""
    near = (["one"], ["burst"], ["p"], [at], [timedelta(hours=1)], [80])
    of_person = (["one"], ["hasty"], ["p"], ["phone:7"])
    async with database.transaction() as tx:
        plans = await tx.fetch(f"EXPLAIN {group_counters.SELECT_NEIGHBOURS}", *near)
        plans += await tx.fetch(f"EXPLAIN {group_counters.SELECT_OF_PEOPLE}", *of_person)
    text = "\n".join(row[0] for row in plans)
    return sorted(name for name in ("mark_received", "mark_person") if name in text and "Seq Scan on mark" not in text)


async def run_events(make_settings: SettingsFactory, folder: Path, events: int) -> dict[str, Any]:
    """The figures of a long run; see `CountingRun`."""
    settings = make_settings(TriageSettings)
    await apply_topics(settings, [topics.COMPLAINT_EVENTS, topics.CASE_EVENTS, topics.TRIAGE_EVENTS])
    async with open_topic_client(settings) as client:
        result = await CountingRun(settings, folder, deadline=3000).run(client, random_submissions(events, seed=20260924))
    published = result.published
    return {
        "events": events,
        "keys": events // 40,
        "seconds": round(result.seconds),
        "counted_when_killed": result.counted_when_killed,
        "members": len(result.expected),
        "wrong": len(result.groups ^ result.expected),
        "wrong_links": len(published.members ^ result.stored_links),
        "classified_once": sum(number == 1 for number in published.classified.values()),
        "alarms": published.alarms,
    }


def windowed_registry(folder: Path) -> ProcedureRegistry:
    """Counts by windows only: one without a window loads one case of each person, at most 10,000."""
    content = procedure("one")
    write_yaml(folder / "one.yaml", content | {"counts": [entry for entry in content["counts"] if "window" in entry]})
    organisation = {"id": "bench", "departments": [{"id": "unassigned"}], "sources": [{"id": "one", "procedure": "one.yaml"}]}
    return ProcedureRegistry(Organisation.model_validate(organisation), folder)


async def measure(events: int, folder: Path, *, run_only: bool) -> dict[str, Any]:
    """Both parts, or the run alone, on servers of their own."""
    servers = start_on_free_root()
    try:
        databases = Databases(servers.database_url)
        cost = [] if run_only else await measure_costs(databases, folder)
        if not events:
            return {"cost": cost}
        url = await databases.create_migrated()
        run = await run_events(SettingsFactory(servers.bootstrap_servers, url, fresh_prefix()), folder, events)
        return {"cost": cost, "run": run}
    finally:
        servers.stop()


async def measure_costs(databases: Databases, folder: Path) -> list[dict[str, Any]]:
    """The cost of one more event for each number of remembered occurrences, in a database of its own."""
    url = await databases.create_migrated()
    database = Database(TriageSettings(environment="test", database_url=url), "triage")
    await migrate(database, "services.triage.migrations")
    cost = [await measure_cost(database, windowed_registry(folder), remembered) for remembered in REMEMBERED]
    await database.close()
    await databases.drop(url)
    return cost


def main() -> None:
    """Measure, print, and store the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=EVENTS, help="of the long run; 0: only the cost of one more event")
    parser.add_argument("--run-only", action="store_true", help="leave out the cost of one more event")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measure(arguments.events, Path(folder), run_only=arguments.run_only))
    write_figures("counting", figures)
    sys.stdout.write(f"{figures}\n")


if __name__ == "__main__":
    main()
