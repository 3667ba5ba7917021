"""Faults of every kind under load leave no anomaly; one of each anomaly, planted in the same system afterwards, is found."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import httpx
import pytest
from aiokafka.structs import ConsumerRecord

from cli.service_names import SERVICES
from shared.contracts.envelope import CE_ID, CE_SEQUENCE
from shared.contracts.topics import CASE_EVENTS
from shared.runtime.clock import uuid7
from shared.runtime.process.settings import RuntimeSettings
from tests.support.faults.anomalies import Anomalies, find_anomalies
from tests.support.faults.plan import PlannedFault, plan_faults
from tests.support.faults.run import MOST_MEGABYTES, FaultRun, run_under_faults
from tests.support.faults.system import FaultySystem, faulty_system
from tests.support.messaging.topic_client import TopicClient, open_topic_client
from tests.support.servers.databases import asyncpg_dsn
from tests.support.servers.session_servers import temporary_folder

KILL_GAP_SECONDS = 4.0
GAP_SECONDS = 1.5
LONGEST_SECONDS = 5.0
SEED = 16
NEVER_ARRIVED = "never arrived"
PLANTED = {"lost", "doubled", "unseen", "reordered", "phantom", "early", "invented", "stuck"}
_STATEMENTS = (
    "DELETE FROM triage.known WHERE case_id = (SELECT min(case_id) FROM triage.known)",
    "DELETE FROM desk.case_event WHERE case_id = (SELECT min(case_id) FROM desk.case_event)",
    "INSERT INTO sla.timer (case_id, partition, due_at) VALUES ('planted', 0, '2026-01-01')",
    """
    UPDATE sla.ledger SET type = 'clock_breached' WHERE (case_id, sequence) = (
        SELECT case_id, sequence FROM sla.ledger
        WHERE type = 'clock_started' AND at < (convert_from(body, 'UTF8')::jsonb ->> 'due_at')::timestamptz LIMIT 1
    )
    """,
)


@pytest.mark.timeout(900)
def test_faults_of_every_kind_leave_no_anomaly_and_planted_ones_are_found(tmp_path: Path) -> None:
    with temporary_folder(tmp_path) as root, faulty_system(root, "faults") as system:
        plan = _plan(system)
        result, planted = asyncio.run(_run_and_plant(system, plan))
    assert result.anomalies.none, str(result)
    assert all(0 < result.megabytes[name] < MOST_MEGABYTES for name in SERVICES), str(result)
    assert result.faults == Counter(fault.kind for fault in plan)
    assert len(result.accepted) > len(plan) / 2, "on a busy machine services are starting most of the time"
    assert result.anomalies.refused.total() > result.hostile.records.total() / 10, "the records were hostile"
    assert result.hostile.answers
    assert httpx.codes.INTERNAL_SERVER_ERROR not in result.hostile.answers
    assert planted.numbers.keys() == PLANTED, planted
    assert any(NEVER_ARRIVED in line for line in planted.details)


def _plan(system: FaultySystem) -> list[PlannedFault]:
    """A kill of each process and server, and among them one of each other kind."""
    [kill] = (kind for kind in system.kinds if kind.name == "kill")
    others = [kind for kind in system.kinds if kind is not kill]
    kills = plan_faults(SEED, len(kill.targets), kinds=[kill], gap=KILL_GAP_SECONDS)
    rest = plan_faults(SEED, len(others), kinds=others, gap=GAP_SECONDS, longest=LONGEST_SECONDS)
    return sorted([*kills, *rest], key=lambda fault: fault.at)


async def _run_and_plant(system: FaultySystem, plan: Sequence[PlannedFault]) -> tuple[FaultRun, Anomalies]:
    result = await run_under_faults(system, plan, print)
    system.stack.stop()
    connection = await asyncpg.connect(asyncpg_dsn(system.database_url))
    for statement in _STATEMENTS:
        await connection.execute(statement)
    await connection.close()
    async with open_topic_client(RuntimeSettings(kafka_bootstrap_servers=system.bootstrap_servers)) as client:
        # Not of a hostile record, which is no event of a case.
        cases = {case.encode() for case in result.accepted}
        events = [record for record in await client.read_records(CASE_EVENTS) if record.key in cases]
        first = next(record for record in events if dict(record.headers).get(CE_SEQUENCE) == b"1")
        await _publish_again(client, first, {})
        await _publish_again(client, first, {CE_SEQUENCE: b"9999"})
    sinks = system.stack.root / "sinks"
    with (sinks / "sms.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"key": "nobody requested it"}) + "\n")
    accepted = {*result.accepted, NEVER_ARRIVED}
    return result, await find_anomalies(system.database_url, system.bootstrap_servers, accepted, result.actions, sinks)


async def _publish_again(client: TopicClient, record: ConsumerRecord, changed: dict[str, bytes]) -> None:
    headers = {**dict(record.headers), CE_ID: uuid7().encode(), **changed}
    await client.send(CASE_EVENTS.name, record.key, record.value, [*headers.items()], record.partition)
