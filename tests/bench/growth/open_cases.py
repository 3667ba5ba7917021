"""What a complaint costs with few open cases, and with a million and 31 days of inbox: CPU of services and PostgreSQL, in one run."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

import asyncpg

from cli.stack.stack import Stack
from deploy.embedded import EmbeddedServers
from shared.runtime.database.tables import INBOX_SLOTS
from shared.runtime.processing.inbox import RETENTION_DAYS, today_utc
from tests.bench.limits.comparison import PARTS, cpu_of_services_and_servers
from tests.bench.limits.systems import ComparedSystem, real_system
from tests.bench.measuring.outcome import Bench, Goal, Options, Outcome
from tests.bench.measuring.stacks import started_stack
from tests.bench.measuring.tables import table
from tests.support.servers.databases import asyncpg_dsn

PROCEDURE = "one-notice"
FEW, MANY = 10_000, 1_000_000
COMPLAINTS = 2000
STEP = 50_000
INBOX_A_DAY = 100_000
"""Ids of each service, for as many days as it keeps them."""
# Every table that has rows of each case, with what differs from the rows of the template; ids of cases are in no order, as real ones.
_NEW_ID = "md5('case' || n)::uuid::text"
_COPIES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "intake.complaint": ("case_id", {"external_id": "'clone-' || n", "fingerprint": "sha256(convert_to('clone' || n, 'UTF8'))"}),
    "triage.known": ("case_id", {}),
    "triage.concerned": ("case_id", {}),
    "triage.mark": ("case_id", {"key": "md5('key' || n)", "person": "'phone:' || md5('person' || n % 100000)"}),
    "sla.cases": ("id", {"number": "'N-2026-' || n", "received_at": "base.received_at - n % 86400 * interval '1 second'"}),
    "sla.case_person": ("case_id", {"key": "base.key || n % 100000"}),
    "sla.ledger": ("case_id", {}),
    "sla.timer": ("case_id", {"partition": "n % 24", "due_at": "base.due_at + n % 86400 * interval '1 second'"}),
    "notify.delivery": ("case_id", {"id": "gen_random_uuid()", "thing": "gen_random_uuid()", "notification": f"{_NEW_ID} || '-3'"}),
}

_INBOXES = ("triage", "sla", "notify")
_INBOX_DAY = """
INSERT INTO {schema}.inbox (id, topic, slot)
SELECT (lpad(to_hex($1::int * 86400000::bigint + n * 86400000::bigint / $3), 12, '0') || '7' || substr(md5(random()::text), 1, 3)
    || '8' || substr(md5(random()::text), 1, 15))::uuid, 'complaint-events', $2 FROM generate_series(0, $3::int - 1) AS n
"""


def measure(options: Options) -> Outcome:
    """Rounds with few cases, filling, rounds with many; `complaints` is the number of open cases at the end."""
    many = options.complaints or MANY
    with started_stack(PROCEDURE, lambda line: print(line, file=sys.stderr)) as (stack, servers):  # noqa: T201
        stack.processes.pop("desk").stop()
        system = real_system(stack)
        asyncio.run(system.run_round(servers, COMPLAINTS))
        few_rounds = asyncio.run(_with_open_cases(stack, servers, system, FEW, options.rounds))
        asyncio.run(_fill_inboxes(stack.environment["DATABASE_URL"]))
        many_rounds = asyncio.run(_with_open_cases(stack, servers, system, many, options.rounds))
    costs = [median(map(cpu_of_services_and_servers, each)) for each in (few_rounds, many_rounds)]
    ratio = round(costs[1] / costs[0], 2)
    figures = {
        "few": FEW,
        "many": many,
        "complaints": COMPLAINTS,
        "inbox": RETENTION_DAYS * INBOX_A_DAY,
        "few_rounds": few_rounds,
        "many_rounds": many_rounds,
        "ratio": ratio,
    }
    goal = Goal(f"cost of a complaint at {many:,} open cases against {FEW:,}", ratio, 1.2, "times", at_most=True)
    return Outcome(figures, [goal])


async def _with_open_cases(
    stack: Stack, servers: EmbeddedServers, system: ComparedSystem, number: int, rounds: int
) -> list[dict[str, float]]:
    await _fill(stack.environment["DATABASE_URL"], number)
    await system.run_round(servers, COMPLAINTS)  # plans and caches after the change
    return [await system.run_round(servers, COMPLAINTS) for _ in range(rounds)]


async def _fill(database_url: str, number: int) -> None:
    """Copies of one case until there are so many."""
    connection = await asyncpg.connect(asyncpg_dsn(database_url))
    template = await connection.fetchval("SELECT id FROM sla.cases WHERE id IN (SELECT case_id FROM notify.delivery) LIMIT 1")
    for first in range(await connection.fetchval("SELECT count(*) FROM sla.cases"), number, STEP):
        for name, (key, overrides) in _COPIES.items():
            values = ", ".join(f"'{column}', {value}" for column, value in {key: _NEW_ID, **overrides}.items())
            await connection.execute(
                f"INSERT INTO {name} SELECT (jsonb_populate_record(base, jsonb_build_object({values}))).* "
                f"FROM {name} AS base CROSS JOIN generate_series($2::int, $3::int - 1) AS n WHERE base.{key} = $1 ON CONFLICT DO NOTHING",
                template,
                first,
                min(first + STEP, number),
            )
        sys.stderr.write(f"{min(first + STEP, number):,} cases\n")
    for name in _COPIES:
        await connection.execute(f"VACUUM ANALYZE {name}")
    await connection.close()


async def _fill_inboxes(database_url: str) -> None:
    """Ids of the past days, as UUIDv7, in the slot of each day."""
    connection = await asyncpg.connect(asyncpg_dsn(database_url))
    for schema in _INBOXES:
        for day in range(today_utc() - RETENTION_DAYS, today_utc()):
            await connection.execute(_INBOX_DAY.format(schema=schema), day, day % INBOX_SLOTS, INBOX_A_DAY)
        await connection.execute(f"VACUUM ANALYZE {schema}.inbox")
    sys.stderr.write(f"{RETENTION_DAYS} days of inbox\n")
    await connection.close()


def section(figures: Mapping[str, Any]) -> Iterator[str]:
    """CPU by part with few and with many cases."""
    yield f"Medians of {len(figures['few_rounds'])} rounds of {figures['complaints']:,} complaints, before and after copies of a case"
    yield f"filled the tables of all services ({', '.join(f'`{name}`' for name in _COPIES)}), and {figures['inbox']:,} ids of "
    yield f"{RETENTION_DAYS} days the inbox of {', '.join(_INBOXES)}.\n"
    few, many = ({part: median(each.get(part, 0.0) for each in figures[name]) for part in PARTS} for name in ("few_rounds", "many_rounds"))
    rows: list[tuple[str, ...]] = [
        (f"{part}, CPU µs", f"{few[part]:,.0f}", f"{many[part]:,.0f}", f"{many[part] / (few[part] or 1):.2f}") for part in PARTS
    ]
    together = [cpu_of_services_and_servers(part) for part in (few, many)]
    rows.append(("services and servers", *(f"{micros:,.0f}" for micros in together), f"{figures['ratio']:.2f}"))
    yield from table(("", f"{figures['few']:,} open cases", f"{figures['many']:,}", "ratio"), rows)


BENCH = Bench("Open cases", measure, section)
