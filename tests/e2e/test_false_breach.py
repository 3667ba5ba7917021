"""An action in time that waits in Kafka while sla is down over the due instant: no breach is published."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from cli.stack.stack import Stack, recreate_database, running_stack
from deploy.embedded import EmbeddedServers
from shared.runtime.clock import Clock
from tests.support.messaging.workload import HANDLING_STEPS, ORGANISATION, workload_client
from tests.support.servers.databases import asyncpg_dsn
from tests.support.waiting import wait_for

DUE = datetime.fromisoformat("2026-09-29T00:00:00+08:00")
FACTOR = 11
SECONDS_BEFORE_DUE = (45, 90, 180)
"""Real seconds from the start of the clock to the due instant: a machine that does not start the services in time gets the next."""
LIFT_OUT_OF_ORDER = 4
"""The number of a submission whose text makes measures due on the day of receipt."""
START_WORK, SUBMIT_MEASURES = (
    next(n for n, act in enumerate(HANDLING_STEPS) if act[2] == name) for name in ("start_work", "submit_measures")
)


@pytest.mark.timeout(600)
def test_no_breach_is_published_when_an_action_in_time_waits_during_an_outage(
    servers: EmbeddedServers, topic_prefix: str, tmp_path: Path
) -> None:
    for seconds in SECONDS_BEFORE_DUE:
        events = _events_of_a_run(servers, topic_prefix, tmp_path / f"stack-{seconds}", seconds)
        if events:
            break
    assert events, "this machine is too slow for the test: the action itself came after the due instant"
    assert ("clock_stopped", "same_day") in events
    assert ("clock_breached", "same_day") not in events


def _events_of_a_run(servers: EmbeddedServers, topic_prefix: str, root: Path, seconds: int) -> list[tuple[str, str]]:
    """Type and clock of every event of a case whose limit ends that many real seconds after now; empty if that was too soon."""
    begin = DUE - timedelta(seconds=seconds * FACTOR)
    clock = Clock(begin, Clock().real_now(), FACTOR)
    environment = {
        **servers.environment,
        "DATABASE_URL": recreate_database(servers.database_url, f"breach_{seconds}"),
        "JIESU_CLOCK": f"{begin.isoformat()}@{clock.real_origin.isoformat()}x{FACTOR}",
        "JIESU_TOPIC_PREFIX": f"{topic_prefix}{seconds}-",
    }
    with running_stack(root, environment, ORGANISATION) as stack:
        return asyncio.run(_over_the_due_instant(stack, clock))


async def _over_the_due_instant(stack: Stack, clock: Clock) -> list[tuple[str, str]]:
    async with workload_client(stack, now=clock.now) as senders:
        case = await senders.submit_by_kafka(LIFT_OUT_OF_ORDER)
        await senders.send_step(case, START_WORK)
        await wait_for(lambda: _happened(stack, case, "work_started"), deadline=120, what="work has started")
        stack.processes["sla"].kill()
        await senders.send_step(case, SUBMIT_MEASURES)
        if clock.now() >= DUE:
            return []
        await wait_for(lambda: clock.now() > DUE, deadline=120, what="the due instant has passed")
        stack.start("sla")
        await wait_for(lambda: _happened(stack, case, "measures_submitted"), deadline=120, what="the action that waited is taken")
        return await _events(stack, case)


async def _happened(stack: Stack, case: str, kind: str) -> bool:
    return kind in [name for name, _ in await _events(stack, case)]


async def _events(stack: Stack, case: str) -> list[tuple[str, str]]:
    """Type and clock of every event of the case."""
    connection = await asyncpg.connect(asyncpg_dsn(stack.environment["DATABASE_URL"]))
    try:
        query = "SELECT type, convert_from(body, 'UTF8')::jsonb->>'clock' AS clock FROM sla.ledger WHERE case_id = $1 ORDER BY sequence"
        return [(row["type"], row["clock"] or "") for row in await connection.fetch(query, case)]
    finally:
        await connection.close()
