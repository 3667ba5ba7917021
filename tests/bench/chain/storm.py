"""Measures a storm: every case of 40 people breaches at one instant; few messages, the urgent ones first, each ledger names its message.

Run with `python -m tests.bench.chain.storm [--breaches N] [--window SECONDS]`; figures go to var/bench/storm.json.
`--decide` measures the decisions alone, without servers: CPU seconds do not depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from cli.stack.stack import Stack, recreate_database, running_stack
from deploy.embedded import EmbeddedServers
from services.notify.bootstrap import template_sources
from services.notify.domain.digests.lines import DigestLine, render_digest
from services.notify.domain.digests.pacing import DigestPolicy, PacedMessage, RecipientPace, place
from services.notify.domain.message_templates import MessageTemplates
from shared.contracts.envelope import CloudEventRecord
from shared.contracts.events.triage import Classified, Routed
from shared.contracts.topics import TRIAGE_EVENTS
from shared.runtime.process.settings import RuntimeSettings
from tests.bench.measuring.processes import ResourceUsage, measure_usage
from tests.bench.measuring.results import ROOT, write_figures
from tests.bench.measuring.stacks import POSTGRES
from tests.support.messaging.cloud_events import case_event
from tests.support.messaging.sample_organisation import registered_event, sample_complaint, write_yaml
from tests.support.messaging.topic_client import open_topic_client
from tests.support.servers.databases import asyncpg_dsn
from tests.support.waiting import wait_for

BREACHES, PEOPLE, URGENT_EVERY = 20_000, 40, 101
MOST_MESSAGES = 200
DIGEST_WINDOW = 60.0
"""Seconds; a quarter of an hour in production. The number of messages does not depend on it while the storm is shorter."""
OPENED_A_SECOND = 400
"""How many cases sla opens at least, to choose an instant for the storm by which all are open."""
TIMEOUT_SECONDS = 900.0
_OUTCOMES = """
SELECT CASE WHEN count(*) FILTER (WHERE type = 'clock_breached') < $1 THEN 0
    ELSE (count(*) FILTER (WHERE type = 'notification_sent') = count(*) FILTER (WHERE type = 'notification_requested'))::int END
FROM sla.ledger WHERE type IN ('clock_breached', 'notification_sent', 'notification_requested')
"""
_OPEN = "SELECT (count(*) >= $1)::int FROM sla.cases"
_LEDGER = "SELECT case_id, type, body, recorded_at FROM sla.ledger WHERE type = ANY($1)"
_WAITS = """
SELECT d.priority, extract(epoch FROM coalesce(c.settled_at, d.settled_at) - d.created_at)::float8 AS seconds
FROM notify.delivery d LEFT JOIN notify.delivery c ON c.id = d.carrier WHERE d.case_id NOT LIKE 'digest:%'
"""


def organisation(folder: Path) -> Path:
    """Forty departments with a head each, beside the procedure."""
    shutil.copy(Path(__file__).with_suffix(".yaml"), folder / "storm.yaml")
    numbers = range(PEOPLE)
    content = {
        "id": "bench",
        "departments": [*({"id": f"d{n}", "head": f"p{n}"} for n in numbers), {"id": "unassigned"}],
        "people": [{"id": f"p{n}", "name": f"P{n}", "department": f"d{n}", "email": f"p{n}@bench.example"} for n in numbers],
        "sources": [{"id": "web", "procedure": "storm.yaml"}],
    }
    return write_yaml(folder / "organisation.yaml", content)


def records(breaches: int, due_at: datetime) -> Iterator[CloudEventRecord]:
    """What triage publishes of each case: registered and classified, then routed."""
    at = datetime.now(UTC)
    for number in range(breaches):
        case = f"storm-{number:06}"
        facts = {"special_limit": due_at.isoformat(), "danger_to_persons": number % URGENT_EVERY == 0}
        complaint = sample_complaint(case, at, number=case_number(case), text=f"电梯停运 {number}", facts=facts)
        registered = registered_event(complaint, "storm", 1)
        yield case_event(TRIAGE_EVENTS, Classified(case=case, at=at, procedure="storm", version=1, registered=registered), "triage")
        yield case_event(TRIAGE_EVENTS, Routed(case=case, at=at, department=f"d{number % PEOPLE}", by="triage"), "triage")


def case_number(case: str) -> str:
    """The number of a case of the bench."""
    return f"TS-2026-{int(case.rpartition('-')[2]):07}"


async def measure(stack: Stack, servers: EmbeddedServers, breaches: int) -> dict[str, Any]:
    """Open the cases, let all breach at one instant, wait until every ledger has the outcome of its message."""
    settings = RuntimeSettings(environment="test", kafka_bootstrap_servers=servers.bootstrap_servers)
    due_at = datetime.now(UTC) + timedelta(seconds=15 + breaches / OPENED_A_SECOND)
    async with open_topic_client(settings) as client:
        await client.publish_all(list(records(breaches, due_at)))
    connection = await asyncpg.connect(asyncpg_dsn(stack.environment["DATABASE_URL"]))

    async def holds(query: str) -> bool:
        return bool(await connection.fetchval(query, breaches))

    await wait_for(lambda: holds(_OPEN), deadline=TIMEOUT_SECONDS, what="all cases are open", pause=0.5)
    await wait_for(lambda: datetime.now(UTC) >= due_at, deadline=TIMEOUT_SECONDS, what="the limit passes", pause=0.1)
    before, began = measure_usage(stack, servers), time.monotonic()
    await wait_for(lambda: holds(_OUTCOMES), deadline=TIMEOUT_SECONDS, what="every ledger has an outcome", pause=0.5)
    took, after = time.monotonic() - began, measure_usage(stack, servers)
    ledger = await connection.fetch(_LEDGER, ["notification_requested", "notification_sent"])
    waits = await connection.fetch(_WAITS)
    await connection.close()
    figures = {
        "breaches": breaches,
        "people": PEOPLE,
        "digest_window": float(stack.environment["JIESU_DIGEST_WINDOW"]),
        "seconds_until_every_ledger_has_its_outcome": round(took, 1),
        **storm_figures(ledger),
        **message_figures(stack.root / "sinks" / "mail.jsonl", ledger),
        **wait_figures(waits),
        "cpu_micros_a_breach": _cpu(before, after, breaches),
    }
    write_figures("storm", figures)
    return figures


def storm_figures(ledger: list[asyncpg.Record]) -> dict[str, Any]:
    """How long the breaches took, and how many outcomes each case has."""
    requested = [row["recorded_at"] for row in ledger if row["type"] == "notification_requested"]
    outcomes = Counter(row["case_id"] for row in ledger if row["type"] == "notification_sent")
    return {
        "requests": len(requested),
        "seconds_of_breaches": round((max(requested) - min(requested)).total_seconds(), 1),
        "cases_with_one_outcome": sum(count == 1 for count in outcomes.values()),
    }


def message_figures(file: Path, ledger: list[asyncpg.Record]) -> dict[str, Any]:
    """The messages that people got, and the ledgers that name one in which their case does not stand."""
    mails = [orjson.loads(line) for line in file.read_bytes().splitlines()]
    texts = {mail["key"].strip("<>").partition("@")[0]: mail["subject"] + mail["text"] for mail in mails}
    unnamed = 0
    for row in ledger:
        if row["type"] == "notification_sent":
            body = orjson.loads(row["body"])
            unnamed += case_number(row["case_id"]) not in texts.get(body.get("carried_by") or body["delivery"], "")
    return {
        "messages": len(mails),
        "most_messages_of_a_person": max(Counter(mail["to"][0] for mail in mails).values()),
        "ledgers_that_name_no_message": unnamed,
    }


def wait_figures(waits: list[asyncpg.Record]) -> dict[str, Any]:
    """Seconds from the request to the provider's acceptance, for urgent and for ordinary breaches."""
    figures: dict[str, Any] = {}
    for name, priority in (("urgent", 0), ("ordinary", 1)):
        seconds = [row["seconds"] for row in waits if row["priority"] == priority]
        figures[f"seconds_waited_{name}"] = {"number": len(seconds), "median": round(median(seconds), 1), "most": round(max(seconds), 1)}
    return figures


def measure_decisions(breaches: int) -> dict[str, Any]:
    """The messages of a storm of one minute, and the CPU of placing a request and of writing a digest."""
    policy, began = DigestPolicy(), datetime.now(UTC)
    paces = dict.fromkeys(range(PEOPLE), RecipientPace())
    placements = []
    used = time.process_time()
    for number in range(breaches):
        now, person = began + number * timedelta(minutes=1) / breaches, number % PEOPLE
        message = PacedMessage(UUID(int=number), number % URGENT_EVERY == 0, now)
        placement, paces[person] = place(message, paces[person], policy, now, lambda instant: instant)
        placements.append((message, placement))
    placing = time.process_time() - used
    sent = [(message.is_urgent, placement.due_at) for message, placement in placements if placement.digest is None or placement.opens]
    waits = [(placement.due_at - message.earliest_at).total_seconds() for message, placement in placements if message.is_urgent]
    lines = [DigestLine(case_number(f"storm-{number}"), "办结时限", began.isoformat(), "D") for number in range(breaches // PEOPLE)]
    templates = MessageTemplates(template_sources(None))
    used = time.process_time()
    for _ in range(PEOPLE):
        render_digest(templates, "digest.zh.email", lines, len(lines))
    return {
        "breaches": breaches,
        "messages": len(sent),
        "urgent_messages": sum(urgent for urgent, _ in sent),
        "most_seconds_waited_urgent": round(max(waits), 1),
        "cpu_micros_to_place_a_request": round(placing / breaches * 1e6, 1),
        "cpu_millis_to_write_a_digest": round((time.process_time() - used) / PEOPLE * 1e3, 1),
    }


def _cpu(before: ResourceUsage, after: ResourceUsage, number: int) -> dict[str, float]:
    return {name: round((used - before.cpu_seconds.get(name, 0.0)) / number * 1e6, 1) for name, used in after.cpu_seconds.items()}


def run_benchmark(breaches: int, window: float = DIGEST_WINDOW) -> dict[str, Any]:
    """One storm on servers and services of its own."""
    folder = ROOT / "var" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as name:
        root = Path(name)
        with EmbeddedServers(root / "servers", postgres_settings=POSTGRES, progress=_say) as servers:
            environment = {
                **servers.environment,
                "DATABASE_URL": recreate_database(servers.database_url, "bench"),
                "JIESU_LOG_LEVEL": "WARNING",
                "JIESU_DIGEST_WINDOW": str(window),
            }
            with running_stack(root / "stack", environment, organisation(root), _say) as stack:
                return asyncio.run(measure(stack, servers, breaches))


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--breaches", type=int, default=BREACHES)
    parser.add_argument("--window", type=float, default=DIGEST_WINDOW, help="seconds that a digest collects")
    parser.add_argument("--decide", action="store_true", help="measure the decisions alone, without servers")
    options = parser.parse_args()
    if options.decide:
        sys.stdout.write(orjson.dumps(measure_decisions(options.breaches), option=orjson.OPT_INDENT_2).decode() + "\n")
        return
    sys.stdout.write(orjson.dumps(run_benchmark(options.breaches, options.window), option=orjson.OPT_INDENT_2).decode() + "\n")


if __name__ == "__main__":
    main()
